#pragma once

#include <memory>

#include "client/connection.hpp"
#include "client/core.hpp"

namespace corbel::outgoing {

struct dial_limits {
  std::chrono::milliseconds connect;
  std::chrono::milliseconds handshake;
  time_point total;
};

/// Brings a fresh connection to where requests can be written: looks the name up, asks the guard about every
/// address, tries those it lets pass in the resolver's order (RFC 6724), and shakes hands.
task<result<void>> dial(std::shared_ptr<connection> c, std::shared_ptr<core> owner, url to,
                        dial_limits limits);

}  // namespace corbel::outgoing
