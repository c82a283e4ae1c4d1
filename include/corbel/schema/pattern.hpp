#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corbel::schema {

/// Whether RE2 finds the pattern in `text`: unanchored, over code points, in time linear in the text.
/// Each pattern is compiled once in the life of the program; any thread may call.
/// Throws std::invalid_argument for a pattern that does not compile: ask `pattern_problem` at start.
/// Only for patterns of the program: they are kept for good.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// Why the pattern does not compile; empty when it does.
std::optional<std::string> pattern_problem(std::string_view pattern);

}  // namespace corbel::schema
