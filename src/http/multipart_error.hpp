#pragma once

#include <string>

#include "corbel/base/error.hpp"

namespace corbel {

/// The refusal of a multipart body that breaks its grammar; `reason` is shown to the client.
inline error broken_multipart(const std::string& reason) {
  return malformed("The multipart body cannot be read: " + reason, "malformed_multipart");
}

}  // namespace corbel
