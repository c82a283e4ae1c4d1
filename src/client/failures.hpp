#pragma once

#include <string>

#include "corbel/base/error.hpp"
#include "net/failures.hpp"

namespace corbel::outgoing {

using net::bad_gateway;
using net::lost;
using net::timed_out;
using net::unreachable;

inline error malformed_response(std::string cause) {
  return bad_gateway("malformed_response", "Another service gave an answer that cannot be read.",
                     std::move(cause));
}

inline error too_large(std::string cause) {
  return bad_gateway("too_large", "Another service gave an answer that is too large.", std::move(cause));
}

inline error stopped() {
  return unavailable("The service is stopping.", "client_stopped");
}

}  // namespace corbel::outgoing
