#pragma once

#include <cstddef>

namespace corbel::json {

/// What a JSON text may cost, whoever sent it.
struct limits {
  /// Objects and arrays within each other. Values above 1000 count as 1000: reading uses the stack.
  std::size_t depth = 64;
};

}  // namespace corbel::json
