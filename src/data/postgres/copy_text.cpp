#include "data/postgres/copy_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "corbel/base/encoding.hpp"
#include "corbel/base/error.hpp"
#include "data/array_text.hpp"
#include "data/postgres/oids.hpp"
#include "data/postgres/wire_reader.hpp"
#include "data/sql_tokens.hpp"

namespace corbel::postgres {
namespace {

std::string_view bytes_of(const data::blob& from) {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += c;
    }
  }
}

template <class Number>
void append_number(std::string& out, Number n) {
  char room[32];
  out.append(room, std::to_chars(room, room + sizeof room, n).ptr);
}
/// One with a sign would be written so, which Postgres does not read.
void append_number(std::string& out, double n) {
  if (std::isnan(n))
    out += "NaN";
  else
    append_number<double>(out, n);
}

/// What stands behind a backslash.
char unescaped(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return c;
  }
}

void append_length(std::string& out, std::size_t length) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift & 0xff);
}

void append_field(std::string& out, std::string_view field, const column& of) {
  if (field == "\\N") return append_length(out, 0xffff'ffff);
  std::string plain;
  plain.reserve(field.size());
  for (std::size_t i = 0; i < field.size(); ++i) {
    const bool escape = field[i] == '\\' && i + 1 < field.size();
    plain += escape ? unescaped(field[++i]) : field[i];
  }
  if (of.format == wire_format::binary) {
    auto bytes = plain.starts_with("\\x") ? from_hex(std::string_view(plain).substr(2)) : std::nullopt;
    if (!bytes) throw protocol_error("a bytea that is not in hexadecimal");
    plain = std::move(*bytes);
  }
  append_length(out, plain.size());
  out += plain;
}

/// The form with backslashes, whatever `standard_conforming_strings` says: both quotes and backslashes
/// doubled. The server has checked that the whole is UTF-8 before it looks for quotes, so none hides in a
/// character.
void append_literal(std::string& out, const data::value& v) {
  if (data::is_null(v)) {
    out += "NULL";
    return;
  }
  std::string text;
  if (const auto* n = std::get_if<std::int64_t>(&v))
    append_number(text, *n);
  else if (const auto* d = std::get_if<double>(&v))
    append_number(text, *d);
  else if (const auto* s = std::get_if<std::string>(&v))
    text = *s;
  else
    text = "\\x" + to_hex(bytes_of(std::get<data::blob>(v)));
  out += " E'";
  for (const char c : text) {
    if (c == '\0')
      throw failure(malformed("A text holds a NUL character, which cannot be stored.", "invalid_value"));
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  out += '\'';
}

/// A literal may begin with its bounds, "[0:1]={...}": that is one already.
bool is_list(std::string_view text) noexcept {
  return text.starts_with('[') && !data::opens_array(text);
}

}  // namespace

bool has_lists(std::span<const data::value> values) noexcept {
  return std::any_of(values.begin(), values.end(), [](const data::value& one) {
    const auto* text = std::get_if<std::string>(&one);
    return text && is_list(*text);
  });
}

void write_lists(std::span<data::value> values, std::span<const std::uint32_t> arrays) {
  for (std::size_t i = 0; i < std::min(values.size(), arrays.size()); ++i) {
    auto* text = std::get_if<std::string>(&values[i]);
    if (arrays[i] != 0 && text && is_list(*text)) *text = data::array_literal(*text, elements_of(arrays[i]));
  }
}

std::string_view copied_query(std::string_view sql) {
  data::detail::sql_tokens tokens(sql);
  const auto next = [&] {
    auto token = tokens.next();
    while (token && token->is == data::detail::sql_token::kind::comment) token = tokens.next();
    return token;
  };
  const auto copy = next();
  auto token = next();
  if (!copy || !copy->is_word("copy") || !token || !token->is_symbol('(')) return {};
  const auto* begin = token->text.data() + token->text.size();
  for (int depth = 1; depth > 0;) {
    token = next();
    if (!token) return {};
    if (token->is_symbol('(')) ++depth;
    if (token->is_symbol(')')) --depth;
  }
  return {begin, static_cast<std::size_t>(token->text.data() - begin)};
}

void append_copy_field(std::string& out, const data::value& from, std::uint32_t array) {
  if (const auto* n = std::get_if<std::int64_t>(&from)) return append_number(out, *n);
  if (const auto* d = std::get_if<double>(&from)) return append_number(out, *d);
  if (const auto* bytes = std::get_if<data::blob>(&from)) {
    out += "\\\\x";
    out += to_hex(bytes_of(*bytes));
    return;
  }
  const auto* text = std::get_if<std::string>(&from);
  if (!text) {
    out += "\\N";
    return;
  }
  if (array != 0 && is_list(*text))
    append_escaped(out, data::array_literal(*text, elements_of(array)));
  else
    append_escaped(out, *text);
}

void copy_row_to_payload(std::string_view line, const columns& shape, std::string& out) {
  out.clear();
  out += static_cast<char>(shape.size() >> 8 & 0xff);
  out += static_cast<char>(shape.size() & 0xff);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto tab = line.find('\t');
    if ((tab == line.npos) != (i + 1 == shape.size()))
      throw protocol_error("a copied row has other columns than were described");
    append_field(out, line.substr(0, tab), shape[i]);
    if (tab != line.npos) line.remove_prefix(tab + 1);
  }
}

std::string with_literals(std::string_view sql, std::span<const data::value> values) {
  std::string out;
  std::size_t done = 0;
  std::size_t highest = 0;
  data::detail::sql_tokens tokens(sql);
  for (bool dollar = false; const auto token = tokens.next();) {
    const auto at = static_cast<std::size_t>(token->text.data() - sql.data());
    if (dollar && token->is == data::detail::sql_token::kind::word && sql[at - 1] == '$') {
      std::size_t number = 0;
      const auto* begin = token->text.data();
      const auto* end = std::from_chars(begin, begin + token->text.size(), number).ptr;
      if (end != begin) {
        if (number == 0 || number > values.size())
          throw failure(internal_error("this SQL has a $" + std::to_string(number) + " but was given " +
                                       std::to_string(values.size()) + " values: " + std::string(sql)));
        out += sql.substr(done, at - 1 - done);
        append_literal(out, values[number - 1]);
        done = at + static_cast<std::size_t>(end - begin);
        highest = std::max(highest, number);
      }
    }
    dollar = token->is_symbol('$');
  }
  if (highest != values.size())
    throw failure(internal_error("this SQL takes " + std::to_string(highest) + " values but was given " +
                                 std::to_string(values.size()) + ": " + std::string(sql)));
  return out += sql.substr(done);
}

}  // namespace corbel::postgres
