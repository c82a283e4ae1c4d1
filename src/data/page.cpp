#include "corbel/data/page.hpp"

namespace corbel::data {
namespace {

/// All but the unreserved characters of RFC 3986, 2.3.
void append_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += "0123456789ABCDEF"[byte >> 4];
    out += "0123456789ABCDEF"[byte & 15];
  }
}

void append_link(std::string& out, std::string_view path, std::span<const query_pair> query,
                 std::string_view replaced, std::string_view value, std::string_view relation) {
  if (!out.empty()) out += ", ";
  out += '<';
  out += path;
  char separator = '?';
  const auto append_pair = [&](std::string_view name, std::string_view text) {
    out += separator;
    separator = '&';
    append_encoded(out, name);
    out += '=';
    append_encoded(out, text);
  };
  bool placed = false;
  for (const auto& [name, text] : query) {
    append_pair(name, name == replaced ? value : text);
    placed = placed || name == replaced;
  }
  if (!placed) append_pair(replaced, value);
  out += ">; rel=\"";
  out += relation;
  out += '"';
}

}  // namespace

std::string link_header(std::string_view path, std::span<const query_pair> query, const page_meta& meta) {
  std::string out;
  const auto last = meta.total_pages < 1 ? 1 : meta.total_pages;
  const auto link = [&](std::int64_t page, std::string_view relation) {
    append_link(out, path, query, "page", std::to_string(page), relation);
  };
  link(1, "first");
  if (meta.page > 1) link(meta.page - 1 < last ? meta.page - 1 : last, "prev");
  if (meta.page < last) link(meta.page + 1, "next");
  link(last, "last");
  return out;
}

std::string link_header(std::string_view path, std::span<const query_pair> query, const cursor_meta& meta) {
  std::string out;
  if (meta.next_cursor) append_link(out, path, query, "cursor", *meta.next_cursor, "next");
  return out;
}

}  // namespace corbel::data
