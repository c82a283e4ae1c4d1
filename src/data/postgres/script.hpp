#pragma once

#include <string_view>
#include <vector>

namespace corbel::postgres {

struct script_statement {
  std::string_view text;
  std::size_t line;  ///< of its first word, from 1
};

/// The statements of a script, without the semicolons between them and without pieces that are only comments.
/// Quotes of every kind, nested comments and the bodies of SQL functions (`begin atomic ... end`) are kept
/// whole. What never ends is one statement up to the end: the server will say what it misses.
std::vector<script_statement> split_script(std::string_view script);

}  // namespace corbel::postgres
