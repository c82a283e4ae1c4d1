#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace valijson::adapters {
class Adapter;
}

namespace corbel::schema {

/// What is wrong with a value under one keyword; empty when nothing is.
using leaf_check = std::function<std::optional<std::string>(const valijson::adapters::Adapter&)>;

/// The check of one of our keywords, given without the prefix, for its value in the schema. Throws
/// std::runtime_error, with a sentence, when the keyword's value makes no sense.
leaf_check make_leaf(const std::string& keyword, const valijson::adapters::Adapter& operand);

}  // namespace corbel::schema
