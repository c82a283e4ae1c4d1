#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace re2 {
class RE2;
}

namespace corbel::schema {

/// What is wrong with a value under one keyword; empty when nothing is.
using leaf_check = std::function<std::optional<std::string>(const nlohmann::json&)>;

/// The check of one of our keywords, given without the prefix, for its value in the schema. Throws
/// std::runtime_error, with a sentence, when the keyword's value makes no sense.
leaf_check make_leaf(const std::string& keyword, const nlohmann::json& operand);

/// A pattern of a schema file, in ECMAScript's dialect as far as RE2 has it. Throws as `make_leaf` does.
std::shared_ptr<const re2::RE2> compile_pattern(const std::string& pattern);

}  // namespace corbel::schema
