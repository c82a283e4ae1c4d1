#pragma once

#include "corbel/base/decimal.hpp"
#include "corbel/base/describe/type_of.hpp"

namespace corbel::data {

/// Decimals are scalars with a text form of their own, as a user's types are; but they have an order.
inline bool is_decimal(const type_descriptor& type) noexcept {
  return type.kind == type_kind::custom && type.custom == type_of<decimal>().custom;
}

}  // namespace corbel::data
