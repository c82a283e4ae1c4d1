#include "data/sql_tokens.hpp"

#include <algorithm>

#include "corbel/data/sql.hpp"

namespace corbel::data::detail {
namespace {

constexpr auto npos = std::string_view::npos;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool continues_word(char c) {
  return begins_word(c) || is_digit(c) || c == '$';
}

std::size_t end_of_block_comment(std::string_view sql) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at + 1 < sql.size();) {
    if (sql[at] == '/' && sql[at + 1] == '*') {
      ++depth;
      at += 2;
    } else if (sql[at] == '*' && sql[at + 1] == '/') {
      at += 2;
      if (--depth == 0) return at;
    } else {
      ++at;
    }
  }
  return npos;
}

/// The end of `$tag$...$tag$`; 0 when the text begins with something else.
std::size_t end_of_dollar_quote(std::string_view sql) {
  std::size_t at = 1;
  if (at < sql.size() && is_digit(sql[at])) return 0;
  while (at < sql.size() && sql[at] != '$' && continues_word(sql[at])) ++at;
  if (at >= sql.size() || sql[at] != '$') return 0;
  const auto tag = sql.substr(0, at + 1);
  const auto end = sql.find(tag, tag.size());
  return end == npos ? npos : end + tag.size();
}

struct extent {
  sql_token::kind is;
  std::size_t length;  // npos: to the end
};

extent first_token(std::string_view sql) {
  using kind = sql_token::kind;
  const char c = sql[0];
  if (sql.starts_with("--")) return {kind::comment, sql.find('\n')};
  if (sql.starts_with("/*")) return {kind::comment, end_of_block_comment(sql)};
  if (c == '\'') return {kind::literal, skip_quoted(sql, 0, false)};
  if (c == '"' || c == '`') return {kind::quoted_name, skip_quoted(sql, 0, false)};
  if ((c == 'e' || c == 'E') && sql.size() > 1 && sql[1] == '\'')
    return {kind::literal, skip_quoted(sql, 1, true)};
  if (c == '$')
    if (const auto end = end_of_dollar_quote(sql); end != 0) return {kind::literal, end};
  if (!continues_word(c) || c == '$') return {kind::symbol, 1};
  const auto end = std::find_if_not(sql.begin(), sql.end(), continues_word);
  return {kind::word, static_cast<std::size_t>(end - sql.begin())};
}

}  // namespace

bool sql_token::is_word(std::string_view keyword) const noexcept {
  return is == kind::word && std::equal(text.begin(), text.end(), keyword.begin(), keyword.end(),
                                        [](char a, char b) { return lower(a) == b; });
}

std::string sql_token::name() const {
  std::string out;
  if (is == kind::word) {
    for (const char c : text) out += lower(c);
  } else if (is == kind::quoted_name) {
    for (std::size_t at = 1; at + 1 < text.size(); ++at) {
      out += text[at];
      if (text[at] == text[0]) ++at;  // a doubled quote
    }
  }
  return out;
}

std::optional<sql_token> sql_tokens::next() {
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  if (rest_.empty()) return {};
  const auto [is, length] = first_token(rest_);
  const sql_token found{is, rest_.substr(0, length)};
  rest_.remove_prefix(found.text.size());
  return found;
}

}  // namespace corbel::data::detail
