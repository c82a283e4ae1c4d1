#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace corbel::postgres {

/// Where one database's statements are stopped on the server. A library tells a server by a connection of its
/// own, and waits for its end without a limit: so this has threads, made when they are needed and kept for a
/// while, and a limit of their number, because a server may answer no cancellation at all. Thread-safe.
class cancellations {
 public:
  using duration = std::chrono::steady_clock::duration;
  static constexpr duration no_limit = duration::max();

  /// At most `most` at a time. `stop` waits for them for as long as `grace`.
  explicit cancellations(std::size_t most = 64, duration grace = std::chrono::seconds(2));
  ~cancellations();
  cancellations(const cancellations&) = delete;
  cancellations& operator=(const cancellations&) = delete;

  /// Runs `cancel` on a thread, and `over` on any of them: when `cancel` has returned, or `patience` has
  /// passed, whatever comes first. Neither may throw. False, with nothing run, when as many are under way as
  /// may be, when the system has no thread left, or after `stop`.
  bool start(std::function<void()> cancel, std::function<void()> over, duration patience = no_limit);

  /// Refuses what comes, and returns when the threads have ended. Nothing can interrupt libpq: a thread that
  /// it still holds after the grace is let go of, touches nothing of ours any more, and ends when its server
  /// does; `over` is then called only where `patience` had a limit.
  void stop();

 private:
  struct core;
  const std::shared_ptr<core> core_;
};

}  // namespace corbel::postgres
