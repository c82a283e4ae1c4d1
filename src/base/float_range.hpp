#pragma once

#include <cmath>

namespace corbel {

/// The largest double that becomes a finite float. It lies above the largest float, as does that float's
/// shortest text, "3.4028235e+38".
inline constexpr double most_as_float = 0x1.fffffefffffffp127;

inline bool fits_float(double number) noexcept {
  return std::abs(number) <= most_as_float;
}

}  // namespace corbel
