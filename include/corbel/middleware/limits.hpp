#pragma once

#include <chrono>
#include <cstddef>

#include <corbel/http/middleware.hpp>

namespace corbel {

/// The most bytes that the bodies of the routes behind it may have; the innermost one decides.
struct body_limit {
  std::size_t bytes;
  route_limits limits() const { return {bytes, {}}; }
};

/// How long the handlers behind it may wait before they are cancelled and the client is told 503; the
/// innermost one decides.
struct time_limit {
  std::chrono::milliseconds time;
  route_limits limits() const { return {{}, time}; }
};

/// The routes behind it are served also while the server sheds load: see `route::never_shed`.
struct never_shed {
  route_limits limits() const { return {{}, {}, true}; }
};

}  // namespace corbel
