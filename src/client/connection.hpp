#pragma once

#include "net/stream.hpp"

namespace corbel::outgoing {

using net::due_in;
using net::time_point;

/// A connection to one origin, as a pool keeps it.
class connection final : public net::stream {
 public:
  using stream::stream;

  bool fresh = true;     ///< not connected yet
  time_point last_used;  ///< when it was put into the pool
};

}  // namespace corbel::outgoing
