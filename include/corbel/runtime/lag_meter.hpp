#pragma once

#include <chrono>

namespace corbel {

/// Whether a loop is behind: whether what is ready has waited for its turn longer than a target, for so long
/// that it is no burst. While it is, `admit` says what may still be done in time.
///
/// A round is one look at what is ready and the work that came of it. A round that lasts longer than the
/// target makes the next one's work late before it begins. Rounds measure themselves by the clock reading
/// that each of them begins with, so that a loop that keeps up pays nothing for this. Belongs to the loop's
/// thread.
class lag_meter {
 public:
  using clock = std::chrono::steady_clock;

  /// The longest that ready work should wait; 0 for never late.
  void target(std::chrono::milliseconds wait) noexcept { target_ = wait; }

  bool late() const noexcept { return late_ || pressed_; }
  /// Makes the loop pass for late, for another reason. `admit` goes by the time alone.
  void press(bool on) noexcept { pressed_ = on; }

  /// Whether a piece of work that has its turn now is still in time. Reads the clock: only while `late`.
  bool admit() noexcept { return admit(clock::now()); }
  bool admit(clock::time_point now) noexcept;

  /// A round begins. `follows`: right behind another one, with nothing else in between.
  void begin_round(clock::time_point now, bool follows) noexcept {
    const auto lasted = now - began_;
    began_ = now;
    if (follows && lasted > target_) [[unlikely]]
      note_late(lasted);
    else if (behind_ != clock::duration::zero() && lasted <= target_) [[unlikely]]
      note_in_time(now);
  }

  /// Work begins that no round brought, such as that of a coroutine: it has not waited for others of its
  /// round.
  void begin_apart(clock::time_point now) noexcept { began_ = now; }

 private:
  void note_late(clock::duration lasted) noexcept;
  void note_in_time(clock::time_point now) noexcept;

  clock::duration target_ = clock::duration::zero();
  clock::time_point began_{};
  clock::duration behind_ = clock::duration::zero();   // late rounds in a row, together
  clock::duration typical_ = clock::duration::zero();  // what one admitted piece of work takes
  clock::time_point admitted_{};                       // the last one's turn
  clock::time_point refused_{};                        // the last time that work came too late
  bool late_ = false;
  bool pressed_ = false;
};

}  // namespace corbel
