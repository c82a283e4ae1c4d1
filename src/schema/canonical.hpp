#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "corbel/base/exact_number.hpp"

namespace corbel::schema {

/// The number of a DOM's value, which must be one.
exact_number number_of(const nlohmann::json& value);

/// Appends one text for all values that are equal as JSON Schema has it: 1, 1.0 and 1e0 are, exactly; the
/// order of members does not count.
void append_canonical(std::string& out, const nlohmann::json& value);

}  // namespace corbel::schema
