#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace corbel::data {

/// Bytes, as a parameter or as the value of one column.
using blob = std::vector<std::byte>;

/// One SQL value on its way to a driver: NULL, integer, floating point, text (UTF-8) or bytes. Everything
/// else is carried by one of these: booleans as 0 and 1, times, ids and enumerations as text.
using value = std::variant<std::monostate, std::int64_t, double, std::string, blob>;

/// One SQL value on its way out: a view into the result it was read from.
using cell = std::variant<std::monostate, std::int64_t, double, std::string_view, std::span<const std::byte>>;

inline bool is_null(const value& v) noexcept {
  return v.index() == 0;
}
inline bool is_null(const cell& c) noexcept {
  return c.index() == 0;
}

/// The value a cell shows, owned.
value to_value(const cell& c);

}  // namespace corbel::data
