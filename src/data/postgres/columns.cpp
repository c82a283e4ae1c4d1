#include "data/postgres/columns.hpp"

#include <algorithm>

#include "data/postgres/oids.hpp"
#include "data/postgres/wire_reader.hpp"

namespace corbel::postgres {

columns read_columns(std::string_view payload) {
  field_reader fields(payload);
  columns all(fields.u16());
  for (auto& one : all) {
    one.name = fields.text();
    fields.take(6);  // its table and its number there
    one.type = fields.u32();
    fields.take(6);  // its size and its modifier
    one.format = static_cast<wire_format>(fields.u16());
  }
  return all;
}

wire_format best_format(std::uint32_t type) noexcept {
  switch (type) {
    case oid::boolean:
    case oid::bytea:
    case oid::int2:
    case oid::int4:
    case oid::int8:
    case oid::oid:
    case oid::float4:
    case oid::float8:
    case oid::interval: return wire_format::binary;
    default: return wire_format::text;
  }
}

bool is_array(std::uint32_t type) noexcept {
  return std::binary_search(std::begin(oid::arrays), std::end(oid::arrays), type);
}

data::array_elements elements_of(std::uint32_t array) noexcept {
  switch (array) {
    case oid::bytea_array: return data::array_elements::bytes;
    case oid::json_array:
    case oid::jsonb_array: return data::array_elements::json;
    default: return data::array_elements::plain;
  }
}

}  // namespace corbel::postgres
