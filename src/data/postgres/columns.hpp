#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/array_text.hpp"
#include "data/postgres/wire_writer.hpp"

namespace corbel::postgres {

/// One column of a result, or of a statement that will give one.
struct column {
  std::string name;
  std::uint32_t type = 0;  ///< its OID
  wire_format format = wire_format::text;
};
using columns = std::vector<column>;
using columns_ptr = std::shared_ptr<const columns>;

/// Reads RowDescription. Throws `protocol_error`.
columns read_columns(std::string_view payload);

/// Binary for the types that are cheaper so, and that `rows` can read; text for the rest.
wire_format best_format(std::uint32_t type) noexcept;

/// Whether a parameter of this type takes an array literal.
bool is_array(std::uint32_t type) noexcept;
/// How a list is written for a parameter or a column of this array type.
data::array_elements elements_of(std::uint32_t array) noexcept;

}  // namespace corbel::postgres
