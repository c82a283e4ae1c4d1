#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace corbel {

/// The time that a client is given while it is waited for: at most `patience` without a byte, and on the
/// whole no more than its bytes make up for at the slowest rate that is taken. One that trickles pays with
/// its patience, and is out of it behind `patience` and a little.
class pace {
 public:
  using clock = std::chrono::steady_clock;

  /// The client is waited for from `now` on.
  void begin(clock::time_point now, clock::duration patience) noexcept { due_ = now + patience; }
  /// It has sent, or taken, so many bytes. `rate` is in bytes a second; with 0 any byte brings all the
  /// patience back.
  void moved(std::size_t bytes, std::size_t rate, clock::time_point now, clock::duration patience) noexcept {
    const auto full = now + patience;
    if (rate == 0 || bytes / rate >= 3600) {
      due_ = full;
      return;
    }
    const auto earned = std::chrono::nanoseconds(bytes * 1'000'000'000 / rate);
    due_ = std::min(full, due_ + std::chrono::duration_cast<clock::duration>(earned));
  }
  clock::time_point due() const noexcept { return due_; }

 private:
  clock::time_point due_{};
};

}  // namespace corbel
