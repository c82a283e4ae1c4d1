#include "corbel/http/field.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "http/controls.hpp"

namespace corbel {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<unsigned char>(c)] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

}  // namespace

bool iequals(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  if (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  return true;
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return token_characters[static_cast<unsigned char>(c)]; });
}

bool has_control(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  return detail::find_control(text.data(), text.data(), end) != end;
}

bool is_field_value(std::string_view text) noexcept {
  if (text.empty()) return true;
  const auto space = [](char c) { return c == ' ' || c == '\t'; };
  if (space(text.front()) || space(text.back())) return false;
  return !has_control(text);
}

std::string_view trim_space(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view next_item(std::string_view& rest, char separator) noexcept {
  const auto end = rest.find(separator);
  const auto item = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return trim_space(item);
}

std::string_view next_quoted_item(std::string_view& rest, char separator) noexcept {
  std::size_t end = 0;
  bool quoted = false;
  for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
    if (rest[end] == '"')
      quoted = !quoted;
    else if (quoted && rest[end] == '\\' && end + 1 < rest.size())
      ++end;
  }
  const auto item = rest.substr(0, end);
  rest = end == rest.size() ? std::string_view{} : rest.substr(end + 1);
  return trim_space(item);
}

std::optional<std::string> unquote(std::string_view text) {
  if (is_token(text)) return std::string(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return {};
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '"') return {};
    if (text[i] == '\\' && ++i + 1 == text.size()) return {};
    if (has_control(text.substr(i, 1))) return {};
    out += text[i];
  }
  return out;
}

bool list_contains(std::string_view list, std::string_view item) noexcept {
  while (!list.empty())
    if (iequals(next_item(list), item)) return true;
  return false;
}

}  // namespace corbel
