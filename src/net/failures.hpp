#pragma once

#include <string>
#include <string_view>

#include "corbel/base/error.hpp"

namespace corbel::net {

/// 502: the other service, or the way to it. `cause` is for the log and names hosts; the rest may be shown.
inline error bad_gateway(std::string code, std::string message, std::string cause) {
  return error{error_kind::bad_gateway, std::move(code), std::move(message)}.because(std::move(cause));
}

inline error unreachable(std::string code, std::string cause) {
  return bad_gateway(std::move(code), "Another service that is needed for this could not be reached.",
                     std::move(cause));
}

inline error lost(std::string cause) {
  return bad_gateway("connection_lost", "The connection to another service was lost.", std::move(cause));
}

/// 504. `phase` is one of "queue", "connect", "handshake", "send", "firstByte", "body", "total".
inline error timed_out(std::string phase, std::string cause) {
  return error{error_kind::deadline_exceeded, "timed_out", "Another service took too long to answer."}
      .detail("phase", std::move(phase))
      .because(std::move(cause));
}

}  // namespace corbel::net
