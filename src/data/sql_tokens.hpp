#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corbel::data::detail {

/// A piece of SQL as it is written, quotes and all.
struct sql_token {
  enum class kind : std::uint8_t { word, quoted_name, literal, comment, symbol };
  kind is;
  std::string_view text;

  /// Whether it is this keyword, given in lower case.
  bool is_word(std::string_view lower) const noexcept;
  bool is_symbol(char c) const noexcept { return is == kind::symbol && text[0] == c; }
  /// The identifier that a word or a quoted name stands for; empty for anything else.
  std::string name() const;
};

/// Reads SQL token by token. It follows Postgres (nested comments, `$$` quotes, E'...'), of which SQLite
/// needs a part. What never ends is one token to the end of the text.
class sql_tokens {
 public:
  /// A view: `sql` has to live as long.
  explicit sql_tokens(std::string_view sql) : rest_(sql) {}
  std::optional<sql_token> next();

 private:
  std::string_view rest_;
};

}  // namespace corbel::data::detail
