#pragma once

#include <atomic>
#include <chrono>

#include <corbel/base/clock.hpp>

namespace corbel::testing {

/// A clock that stands still until the test moves it. Safe to ask and to move from any thread.
class fake_clock final : public clock {
 public:
  /// 2026-01-02T03:04:05Z unless told.
  explicit fake_clock(timestamp start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) +
                                        std::chrono::hours(3) + std::chrono::minutes(4) +
                                        std::chrono::seconds(5)) noexcept
      : now_(start.time_since_epoch()) {}

  /// Both the time of day and the steady time go on by this span.
  void advance(std::chrono::milliseconds by) noexcept {
    passed_.fetch_add(by.count());
    now_.store(now_.load() + by);
  }
  /// The time of day steps, as a machine's may; the steady time stays.
  void set(timestamp to) noexcept { now_.store(to.time_since_epoch()); }

  timestamp now() const noexcept override { return timestamp(now_.load()); }
  std::chrono::steady_clock::time_point steady() const noexcept override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(passed_.load()));
  }

 private:
  std::atomic<std::chrono::milliseconds> now_;
  std::atomic<std::chrono::milliseconds::rep> passed_ = 0;
};

}  // namespace corbel::testing
