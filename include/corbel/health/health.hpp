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

class request;

/// What the service is while a check fails.
enum class failure_status : bool {
  unhealthy,  ///< it cannot do its work: `/health` and `/readyz` are 503, and no requests should come
  degraded,   ///< it does with less, as without a cache: `/health` says so with 200, `/readyz` stays 200
};

/// What a service says of itself:
/// - `GET /health`: `{"status":"healthy","database":"connected","version":"1.0.0"}` with 200. When a check
///   fails, its member is "disconnected", and the status "degraded" with 200 or "unhealthy" with 503;
/// - `GET /livez`: 200 as long as the process answers;
/// - `GET /readyz`: 200, or 503 while the service is unhealthy or draining.
/// Checks run at most once a second for each thread, however often they are asked for, so that a flood of
/// probes is no flood of queries.
///
/// Why a check fails is told to the log alone: when it begins to, when the reason changes, once a minute as
/// long as it does, and when it succeeds again.
class health {
 public:
  /// Throws or returns false when the thing is not there. What it throws goes to the log.
  using check = std::function<task<bool>()>;

  explicit health(std::string version);
  ~health();

  /// `name` is the member of the reply, such as "database". To be called before the routes serve.
  health& add(std::string name, check is_connected, failure_status when_it_fails = failure_status::unhealthy);
  /// Adds the three routes. The health object must outlive the router.
  void mount(route_group routes);
  /// From now on `GET /readyz` is 503. Thread-safe.
  void drain() noexcept { draining_.store(true); }

 private:
  struct report;
  struct impl;
  task<std::shared_ptr<const report>> look(const request& in);

  std::unique_ptr<impl> impl_;
  std::atomic<bool> draining_{false};
};

}  // namespace corbel
