#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace corbel::data {

/// SQL text made at run time, which the compiler has not seen. Whoever writes `trusted(...)` answers for it:
/// no part of it may come from input. Values always travel as parameters.
struct trusted {
  explicit trusted(std::string sql) : text(std::move(sql)) {}
  std::string text;
};

namespace detail {

/// What a look over SQL text finds: the highest `$n`, whether each up to it occurs, and what is wrong.
struct placeholder_scan {
  enum class fault : std::uint8_t { none, unclosed_quote, unclosed_comment, zero, too_many };
  std::size_t highest = 0;
  bool gap = false;
  bool foreign = false;  ///< it may have the placeholders of another library: `?`, `:name`, `%s`
  fault wrong = fault::none;
};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 128;
}

/// Past the quoted text that starts at `at`; npos when it never ends. A doubled quote stands for itself.
constexpr std::size_t skip_quoted(std::string_view sql, std::size_t at, bool backslashes) {
  const char quote = sql[at++];
  for (; at < sql.size(); ++at) {
    if (backslashes && sql[at] == '\\')
      ++at;
    else if (sql[at] == quote) {
      if (at + 1 == sql.size() || sql[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return std::string_view::npos;
}

/// Finds placeholders outside of quotes, comments and names.
constexpr placeholder_scan scan_placeholders(std::string_view sql) {
  using fault = placeholder_scan::fault;
  placeholder_scan found;
  constexpr std::size_t most = 1000;
  bool seen[most + 1] = {};
  for (std::size_t at = 0; at < sql.size();) {
    const char c = sql[at];
    if (c == '\'' || c == '"' || c == '`') {
      at = skip_quoted(sql, at, false);
      if (at == std::string_view::npos) return found.wrong = fault::unclosed_quote, found;
    } else if (c == '-' && sql.substr(at, 2) == "--") {
      while (at < sql.size() && sql[at] != '\n') ++at;
    } else if (c == '/' && sql.substr(at, 2) == "/*") {
      const auto end = sql.find("*/", at + 2);
      if (end == std::string_view::npos) return found.wrong = fault::unclosed_comment, found;
      at = end + 2;
    } else if (begins_word(c)) {
      const auto start = at;
      while (at < sql.size() && (begins_word(sql[at]) || is_digit(sql[at]) || sql[at] == '$')) ++at;
      // Postgres: E'it\'s'.
      if (at - start == 1 && (c == 'e' || c == 'E') && at < sql.size() && sql[at] == '\'') {
        at = skip_quoted(sql, at, true);
        if (at == std::string_view::npos) return found.wrong = fault::unclosed_quote, found;
      }
    } else if (is_digit(c)) {
      while (at < sql.size() && (is_digit(sql[at]) || begins_word(sql[at]) || sql[at] == '.')) ++at;
    } else if (c == '$' && at + 1 < sql.size() && is_digit(sql[at + 1])) {
      std::size_t number = 0;
      for (++at; at < sql.size() && is_digit(sql[at]); ++at) {
        number = number * 10 + static_cast<std::size_t>(sql[at] - '0');
        if (number > most) return found.wrong = fault::too_many, found;
      }
      if (number == 0) return found.wrong = fault::zero, found;
      seen[number] = true;
      if (number > found.highest) found.highest = number;
    } else {
      // Each of these is an operator somewhere: only beside a missing $n is it a mistake.
      const bool named = c == ':' && at + 1 < sql.size() && begins_word(sql[at + 1]);
      found.foreign = found.foreign || c == '?' || (named && (at == 0 || sql[at - 1] != ':')) ||
                      sql.substr(at, 2) == "%s";
      ++at;
    }
  }
  for (std::size_t n = 1; n <= found.highest; ++n) found.gap = found.gap || !seen[n];
  return found;
}

// Never constant: calling one of these while the compiler checks a literal IS the error message.
void this_SQL_has_more_placeholders_than_arguments();
void this_SQL_has_fewer_placeholders_than_arguments();
void placeholders_are_written_as_a_dollar_sign_and_a_number_from_1_up_not_as_question_marks_or_names();
void this_SQL_skips_a_placeholder_use_each_of_them_from_1_up();
void this_SQL_has_a_quote_that_never_ends();
void this_SQL_has_a_comment_that_never_ends();
void placeholders_are_counted_from_1_to_1000();

}  // namespace detail

/// SQL text for a statement with `Count` arguments, as a parameter of the functions that run it. A literal
/// converts to it, and the compiler counts its `$1`, `$2`, ... against the arguments; text made at run time
/// has to be `trusted`. It is a view: it lives as long as the call it is passed to.
template <std::size_t Count>
class sql_text {
 public:
  template <std::convertible_to<std::string_view> Literal>
  requires(!std::same_as<Literal, std::string>) consteval sql_text(const Literal& literal) : text_(literal) {
    using fault = detail::placeholder_scan::fault;
    const auto found = detail::scan_placeholders(text_);
    if (found.wrong == fault::unclosed_quote) detail::this_SQL_has_a_quote_that_never_ends();
    if (found.wrong == fault::unclosed_comment) detail::this_SQL_has_a_comment_that_never_ends();
    if (found.wrong == fault::zero || found.wrong == fault::too_many)
      detail::placeholders_are_counted_from_1_to_1000();
    if (found.highest > Count) detail::this_SQL_has_more_placeholders_than_arguments();
    if (found.highest < Count && found.foreign)
      detail::
          placeholders_are_written_as_a_dollar_sign_and_a_number_from_1_up_not_as_question_marks_or_names();
    if (found.highest < Count) detail::this_SQL_has_fewer_placeholders_than_arguments();
    if (found.gap) detail::this_SQL_skips_a_placeholder_use_each_of_them_from_1_up();
  }
  template <std::same_as<std::string> Made>
  sql_text(const Made&) {
    static_assert(!std::same_as<Made, std::string>,
                  "corbel: SQL is a literal, with $1, $2, ... for values; wrap text made at run time into "
                  "data::trusted(...), and answer for it");
  }
  sql_text(const trusted& sql) : text_(sql.text), literal_(false) {}

  std::string_view text() const noexcept { return text_; }
  /// Literals live as long as the program.
  bool is_literal() const noexcept { return literal_; }

 private:
  std::string_view text_;
  bool literal_ = true;
};

}  // namespace corbel::data
