#pragma once

#include "corbel/base/describe/type.hpp"
#include "corbel/data/value.hpp"

namespace corbel::data {

/// Reads a cell as the type. False, with `to` of no meaning, when the cell does not hold one. Takes what
/// SQLite gives, and what Postgres writes as text: numeric, timestamptz, arrays.
bool decode_cell(const cell& from, const type_descriptor& type, void* to);

}  // namespace corbel::data
