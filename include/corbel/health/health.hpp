#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <corbel/routing/router.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What a service says of itself:
/// - `GET /health`: `{"status":"healthy","database":"connected","version":"1.0.0"}` with 200, or "unhealthy"
/// and
///   "disconnected" with 503 when a check fails;
/// - `GET /livez`: 200 as long as the process answers;
/// - `GET /readyz`: 200, or 503 while a check fails or the service is draining.
/// Checks run at most once a second for each thread, however often they are asked for, so that a flood of
/// probes is no flood of queries.
class health {
 public:
  /// Throws or returns false when the thing is not there.
  using check = std::function<task<bool>()>;

  explicit health(std::string version);
  ~health();

  /// `name` is the member of the reply, such as "database". To be called before the routes serve.
  health& add(std::string name, check is_connected);
  /// Adds the three routes. The health object must outlive the router.
  void mount(route_group routes);
  /// From now on `GET /readyz` is 503. Thread-safe.
  void drain() noexcept { draining_.store(true); }

 private:
  struct report;
  struct impl;
  task<std::shared_ptr<const report>> look();

  std::unique_ptr<impl> impl_;
  std::atomic<bool> draining_{false};
};

}  // namespace corbel
