#pragma once

#include <chrono>

#include <corbel/base/time.hpp>

namespace corbel {

/// What time it is, so that a test can decide it. Safe to ask from any thread.
class clock {
 public:
  virtual ~clock() = default;
  /// The time of day, in UTC; it may step.
  virtual timestamp now() const noexcept = 0;
  /// The same as of the system's last tick, some milliseconds ago: for what is stamped with every request.
  virtual timestamp recently() const noexcept { return now(); }
  /// For measuring spans; it never steps back.
  virtual std::chrono::steady_clock::time_point steady() const noexcept = 0;
};

/// The machine's clock; lives as long as the program.
const clock& system_clock() noexcept;

}  // namespace corbel
