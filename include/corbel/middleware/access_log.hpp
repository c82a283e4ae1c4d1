#pragma once

#include <corbel/http/middleware.hpp>

namespace corbel {

/// One line for each response: method, path (without its query, which may hold secrets), status, duration,
/// bytes and peer, under the request's id. Failures of the service (5xx) are errors, refusals (4xx) warnings.
/// The line of a streamed response is written when its stream ends, with what was sent until then.
struct access_log {
  void after(const request& in, response& out) const;
};

}  // namespace corbel
