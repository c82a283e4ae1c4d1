#pragma once

#include <corbel/http/middleware.hpp>

namespace corbel {

/// Gives every request an id: the client's `X-Request-Id` when it is 1 to 128 letters, digits, `-`, `_` or
/// `.`, otherwise a new UUIDv7. Log lines and error envelopes carry it; the response echoes it.
struct request_id {
  flow before(request& in, response& out) const;
  void after(const request& in, response& out) const;
};

}  // namespace corbel
