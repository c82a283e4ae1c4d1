#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/describe/describe.hpp>

namespace corbel::data {

struct page_meta {
  std::int64_t page = 1;
  std::int64_t limit = 20;
  std::int64_t total = 0;
  std::int64_t total_pages = 0;
};
constexpr auto describe(tag<page_meta>) {
  using namespace rules;
  using m = page_meta;
  return object(field("page", &m::page), field("limit", &m::limit), field("total", &m::total),
                field("totalPages", &m::total_pages));
}

/// One page of a list, as JSON `{"data":[...],"meta":{"page":1,"limit":20,"total":57,"totalPages":3}}`.
template <class T>
struct page_of {
  std::vector<T> data;
  page_meta meta;
};
template <class T>
constexpr auto describe(tag<page_of<T>>) {
  using namespace rules;
  using p = page_of<T>;
  return object(field("data", &p::data), field("meta", &p::meta));
}

/// A page with every item turned into what the API shows of it.
template <class T, class F>
auto map_page(const page_of<T>& from, F show) {
  page_of<decltype(show(from.data.front()))> to;
  to.meta = from.meta;
  to.data.reserve(from.data.size());
  for (const auto& item : from.data) to.data.push_back(show(item));
  return to;
}

struct cursor_meta {
  std::int64_t limit = 20;
  std::optional<std::string> next_cursor;  ///< absent on the last page
};
constexpr auto describe(tag<cursor_meta>) {
  using namespace rules;
  using m = cursor_meta;
  return object(field("limit", &m::limit), field("nextCursor", &m::next_cursor));
}

/// One stretch of a list read by cursor: as cheap at the end of the list as at its start, and no row is seen
/// twice or passed over when others are added meanwhile.
template <class T>
struct cursor_page_of {
  std::vector<T> data;
  cursor_meta meta;
};
template <class T>
constexpr auto describe(tag<cursor_page_of<T>>) {
  using namespace rules;
  using p = cursor_page_of<T>;
  return object(field("data", &p::data), field("meta", &p::meta));
}

/// Decoded name and value of a query string.
using query_pair = std::pair<std::string_view, std::string_view>;

/// The `Link` header (RFC 8288) of a page: first, prev, next and last where they exist. `path` is sent as it
/// is; `query` is the request's, whose page is replaced and whose other pairs are kept.
std::string link_header(std::string_view path, std::span<const query_pair> query, const page_meta& meta);
/// The same for cursors: next, if there is more. Otherwise empty: send no header.
std::string link_header(std::string_view path, std::span<const query_pair> query, const cursor_meta& meta);

}  // namespace corbel::data
