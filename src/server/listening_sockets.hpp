#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "corbel/server/settings.hpp"

namespace corbel {

/// The sockets that a server will listen on, closed with this unless released.
class listening_sockets {
 public:
  /// Takes over sockets that listen already, if any.
  explicit listening_sockets(std::vector<int> inherited) : all_(std::move(inherited)) {}
  ~listening_sockets();
  listening_sockets(const listening_sockets&) = delete;
  listening_sockets& operator=(const listening_sockets&) = delete;

  /// Makes sure of at least one for each thread; more are shared out among them. Returns the port. Throws
  /// std::system_error, or std::invalid_argument when an inherited descriptor is no TCP socket that listens.
  std::uint16_t complete(const server_settings& settings, std::size_t threads);
  std::vector<int> release() { return std::exchange(all_, {}); }

 private:
  std::vector<int> all_;
};

}  // namespace corbel
