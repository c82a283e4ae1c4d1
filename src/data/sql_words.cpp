#include "data/sql_words.hpp"

#include <algorithm>

#include "corbel/data/sql.hpp"

namespace corbel::data {

bool is_word(std::string_view word, std::string_view lower) noexcept {
  return word.size() == lower.size() &&
         std::equal(word.begin(), word.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
         });
}

std::string_view next_word(std::string_view& sql) {
  std::size_t at = 0;
  for (;;) {
    while (at < sql.size() && !detail::begins_word(sql[at]) && sql.substr(at, 2) != "--" &&
           sql.substr(at, 2) != "/*")
      ++at;
    if (sql.substr(at, 2) == "--") {
      while (at < sql.size() && sql[at] != '\n') ++at;
    } else if (sql.substr(at, 2) == "/*") {
      const auto end = sql.find("*/", at);
      at = end == std::string_view::npos ? sql.size() : end + 2;
    } else {
      break;
    }
  }
  const auto start = at;
  while (at < sql.size() && (detail::begins_word(sql[at]) || detail::is_digit(sql[at]))) ++at;
  const auto word = sql.substr(start, at - start);
  sql.remove_prefix(at);
  return word;
}

}  // namespace corbel::data
