#include "data/postgres/script.hpp"

#include <algorithm>

#include "data/sql_tokens.hpp"

namespace corbel::postgres {

using data::detail::sql_token;
using data::detail::sql_tokens;

std::vector<script_statement> split_script(std::string_view script) {
  std::vector<script_statement> all;
  const char* start = nullptr;
  const char* counted = script.data();
  std::size_t line = 1;
  int depth = 0;  // of BEGIN ATOMIC ... END, with CASE ... END inside
  bool begins = false;
  sql_tokens tokens(script);
  const auto finish = [&](const char* end) {
    if (start) {
      line += static_cast<std::size_t>(std::count(counted, start, '\n'));
      counted = start;
      all.push_back({std::string_view(start, static_cast<std::size_t>(end - start)), line});
    }
    start = nullptr;
    depth = 0;
    begins = false;
  };
  while (const auto token = tokens.next()) {
    if (token->is == sql_token::kind::comment) continue;
    if (token->is_symbol(';') && depth == 0) {
      finish(token->text.data());
      continue;
    }
    if (!start) start = token->text.data();
    if ((begins && token->is_word("atomic")) || (depth > 0 && token->is_word("case")))
      ++depth;
    else if (depth > 0 && token->is_word("end"))
      --depth;
    begins = token->is_word("begin");
  }
  finish(script.data() + script.size());
  return all;
}

}  // namespace corbel::postgres
