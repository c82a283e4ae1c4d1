#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include <corbel/base/json/limits.hpp>
#include <corbel/base/result.hpp>

namespace corbel::json {

/// Reads a JSON text into nlohmann's DOM with the reader that everything else uses: the same verdict on what
/// is malformed, the same limits. Integers beyond 64 bits become doubles. `out` is unspecified on failure.
result<void> parse_dom(std::string_view text, nlohmann::json& out, const limits& limit = {});

/// Appends the DOM as compact JSON that is always valid (see writer.hpp).
void append_dom(std::string& out, const nlohmann::json& value);

}  // namespace corbel::json
