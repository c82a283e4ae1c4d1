#include "data/migration_header.hpp"

#include "corbel/base/error.hpp"
#include "data/sql_tokens.hpp"

namespace corbel::data::detail {
namespace {

constexpr std::string_view instruction = "-- corbel: no-transaction";

enum class meaning { prose, understood, misspelt };

std::string_view without_end(std::string_view comment) {
  while (!comment.empty() && (comment.back() == '\r' || comment.back() == ' ' || comment.back() == '\t'))
    comment.remove_suffix(1);
  return comment;
}

/// Its letters in lower case, and its colons.
std::string skeleton(std::string_view comment) {
  std::string out;
  for (const char c : comment) {
    if ((c >= 'a' && c <= 'z') || c == ':') out += c;
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Other tools write `-- no-transaction`: alone on a line it is as surely meant for us as `corbel: ...`.
meaning meaning_of(std::string_view comment) {
  if (without_end(comment) == instruction) return meaning::understood;
  const auto letters = skeleton(comment);
  for (const std::string_view start : {"corbel:", "corbelnotransaction"})
    if (letters.starts_with(start)) return meaning::misspelt;
  return letters == "notransaction" || letters == "notransactions" ? meaning::misspelt : meaning::prose;
}

}  // namespace

std::string_view without_mark(std::string_view sql) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (sql.starts_with(mark)) sql.remove_prefix(mark.size());
  return sql;
}

void refuse_migration(std::string message) {
  throw failure(error{error_kind::invalid, "bad_migrations", std::move(message)});
}

bool says_no_transaction(std::string_view sql) {
  sql_tokens tokens(without_mark(sql));
  for (auto token = tokens.next(); token && token->is == sql_token::kind::comment; token = tokens.next())
    if (meaning_of(token->text) == meaning::understood) return true;
  return false;
}

void check_header(std::string_view file, std::string_view sql) {
  const std::string start = "The migration \"" + std::string(file) + "\" ";
  if (sql.find('\0') != std::string_view::npos)
    refuse_migration(start + "has a NUL character, so it is no text in UTF-8. Save it as UTF-8.");
  bool leading = true;
  sql_tokens tokens(without_mark(sql));
  for (auto token = tokens.next(); token; token = tokens.next()) {
    leading = leading && token->is == sql_token::kind::comment;
    if (token->is != sql_token::kind::comment) continue;
    const auto means = meaning_of(token->text);
    if (leading && means == meaning::misspelt)
      refuse_migration(start + "says \"" + std::string(without_end(token->text)) +
                       "\", which is no instruction. Write \"" + std::string(instruction) +
                       "\" on a line of its own, or reword the comment.");
    if (!leading && means == meaning::understood)
      refuse_migration(start + "says \"" + std::string(instruction) +
                       "\" after its first statement, where it is not seen. Move the line to the top.");
  }
}

}  // namespace corbel::data::detail
