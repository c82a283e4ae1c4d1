#pragma once

#include <chrono>
#include <cstdint>

namespace corbel::detail {

/// How long to wait before something that failed is tried again: twice as long after each failure, up to a
/// limit, and each time a random part of that, so that those who failed together do not come back together.
class backoff {
 public:
  using duration = std::chrono::steady_clock::duration;

  /// The first wait is at most `shortest`, any at most `longest`. The same seed gives the same waits.
  backoff(duration shortest, duration longest, std::uint64_t seed = any_seed());

  /// It failed once more: the wait before the next attempt.
  duration next();
  /// It succeeded.
  void reset() noexcept { failures_ = 0; }
  /// In a row.
  int failures() const noexcept { return failures_; }

  /// From half of `most` to all of it, both included, at random.
  duration spread(duration most);

  /// Another one each time.
  static std::uint64_t any_seed();

 private:
  std::uint64_t random() noexcept;

  const duration shortest_;
  const duration longest_;
  std::uint64_t state_;
  int failures_ = 0;
};

}  // namespace corbel::detail
