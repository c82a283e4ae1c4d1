#pragma once

#include <cstddef>
#include <string>

#include "corbel/base/error.hpp"

namespace corbel {

/// For a body of more than `limit` bytes.
inline error body_too_large(std::size_t limit) {
  return {error_kind::payload_too_large, "payload_too_large",
          "The body is larger than " + std::to_string(limit) + " bytes."};
}

}  // namespace corbel
