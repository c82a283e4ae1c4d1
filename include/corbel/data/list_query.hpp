#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/result.hpp>
#include <corbel/base/temporaries.hpp>
#include <corbel/data/codec.hpp>
#include <corbel/data/page.hpp>

namespace corbel::data {

enum class comparison : std::uint8_t {
  equal,      ///< `status=active`; an empty optional asks for NULL
  not_equal,  ///< `status[ne]=active`
  less,       ///< `dueDate[lt]=2026-12-31`
  at_most,    ///< `[lte]`
  more,       ///< `[gt]`
  at_least,   ///< `[gte]`
  contains,   ///< `name[contains]=apollo`: text, in either case (of ASCII letters at least)
  has,        ///< `tags[has]=moon`: a list, one of whose elements is this
};

struct condition {
  std::string field;  ///< by wire name; "attributes.color" is a member inside a field that is JSON
  comparison how = comparison::equal;
  value operand;
};

struct sort_key {
  std::string field;  ///< by wire name
  bool descending = false;
};

/// What to list. Made from a request by `parse_list_query`, or by hand:
/// `list_query().where("projectId", id).order_by("createdAt", true).paged(2, 50)`.
struct list_query {
  /// It is no aggregate, so that a temporary may stand in a `co_await` with every compiler.
  list_query() = default;

  std::vector<condition> conditions;  ///< all of them hold
  std::vector<sort_key> sort;         ///< ties are broken by the key
  std::size_t page = 1;
  std::size_t limit = 20;
  std::optional<std::string> cursor;  ///< where `scan` goes on

  template <class V>
  list_query& where(std::string_view field, const V& operand, comparison how = comparison::equal) & {
    conditions.push_back({std::string(field), how, parameter(operand)});
    return *this;
  }
  template <class V>
  list_query&& where(std::string_view field, const V& operand, comparison how = comparison::equal) && {
    return std::move(where(field, operand, how));
  }
  list_query& order_by(std::string_view field, bool descending = false) & {
    sort.push_back({std::string(field), descending});
    return *this;
  }
  list_query&& order_by(std::string_view field, bool descending = false) && {
    return std::move(order_by(field, descending));
  }
  /// The first page is 1; `limit` is at least 1.
  list_query& paged(std::size_t number, std::size_t most) & {
    page = number;
    limit = most;
    return *this;
  }
  list_query&& paged(std::size_t number, std::size_t most) && { return std::move(paged(number, most)); }

  template <corbel::detail::risky_temporary V>
  list_query&& where(std::string_view field, V&& operand, comparison how = comparison::equal) && {
    corbel::detail::name_it_first<V>();
    return std::move(where(field, std::as_const(operand), how));
  }
};

/// What a client may ask of a list; all else in its query is refused. Fields are wire names.
struct list_rules {
  /// Of a field that is JSON its members, too: "attributes.color"; of a union its discriminator.
  std::vector<std::string_view> filterable{};
  std::vector<std::string_view> sortable{};
  std::string_view default_sort{};  ///< "createdAt:desc"; several are separated by commas
  std::size_t default_limit = 20;
  std::size_t most_limit = 100;
  std::size_t most_page = 10'000;  ///< beyond it, a cursor is the way
  bool cursors = false;            ///< takes `cursor` in place of `page`
};

/// What is wrong with the rules, a sentence each: fields that the type does not have, or that cannot be
/// compared, a sort that cannot be, a limit that holds nothing. For the start of a program.
std::vector<std::string> check(const list_rules& allowed, const type_descriptor& type);

namespace detail {
result<list_query> parse_list_query(std::span<const query_pair> query, const list_rules& allowed,
                                    const type_descriptor& type, void* scratch);
}  // namespace detail

/// Reads `?status=active&dueDate[lt]=2026-12-31&sort=createdAt:desc,name&page=1&limit=20` for a list of T.
/// Every mistake is reported: fields that do not exist or are not allowed, values that their field cannot
/// hold, a limit or a page out of bounds, a name given twice. Throws std::logic_error when `check`
/// finds something.
template <class T>
result<list_query> parse_list_query(std::span<const query_pair> query, const list_rules& allowed) {
  T scratch = T();
  return detail::parse_list_query(query, allowed, type_of<T>(), &scratch);
}

}  // namespace corbel::data
