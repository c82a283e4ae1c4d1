#include "server/load_gate.hpp"

#include <algorithm>

namespace corbel {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using real_seconds = std::chrono::duration<double>;

/// A window is closed behind so many answers and so much time; one with few answers takes longer.
constexpr std::uint32_t window_answers = 8;
constexpr std::chrono::milliseconds window{100};
constexpr std::chrono::seconds longest_window{1};
/// A queue that stands for so many windows is no burst.
constexpr int late_windows_allowed = 4;
/// Fewer than this in one thread are never an overload, and a limit does not go below it.
constexpr std::size_t least_to_judge = 16;
constexpr std::size_t least_limit = 8;
/// How much of a window's rate goes into the average.
constexpr double rising = 0.25;
constexpr double falling = 0.03;
constexpr std::chrono::seconds first_probe{1};
constexpr std::chrono::seconds between_probes{5};
/// Without a refusal for so long, the limit is lifted.
constexpr std::chrono::seconds calm{2};

}  // namespace

void route_load::note_answer(duration took, clock::time_point now) noexcept {
  if (answers_ == 0 && now - began_ > longest_window) {
    began_ = now - took;
    counted_since_ = began_;
    counted_ = 0;
  }
  ++answers_;
  quickest_ = std::min(quickest_, took);
  const auto open_for = now - began_;
  if ((answers_ >= window_answers && open_for >= window) || open_for >= longest_window) close_window(now);
}

void route_load::close_window(clock::time_point now) noexcept {
  if (shed_ != 0) last_shed_ = now;
  note_rate(now);
  judge(quickest_, now);
  began_ = now;
  answers_ = 0;
  shed_ = 0;
  quickest_ = duration::max();
}

/// Over twice the time that a handler takes, at least: those of a full resource end in batches, and windows
/// shorter than that would see now a batch and now none, of which the faster one would be believed.
void route_load::note_rate(clock::time_point now) noexcept {
  counted_ += answers_;
  const auto time = now - counted_since_;
  const auto whole = base_ == duration::max() ? duration(window) : std::max<duration>(window, 2 * base_);
  if (time < whole) return;
  const double rate = counted_ / std::max(duration_cast<real_seconds>(time).count(), 1e-3);
  rate_ += (rate - rate_) * (rate > rate_ ? rising : falling);
  counted_ = 0;
  counted_since_ = now;
}

route_load::duration route_load::allowed() const noexcept {
  return std::max(target_, 2 * base_);
}

std::size_t route_load::room_for(duration time) const noexcept {
  return static_cast<std::size_t>(rate_ * duration_cast<real_seconds>(time).count()) + 1;
}

void route_load::judge(duration quickest, clock::time_point now) noexcept {
  if (base_ == duration::max() || quickest < base_) base_ = quickest;
  const bool late = quickest > allowed();
  switch (stage_) {
    case stage::open:
      if (!late) {
        late_windows_ = 0;
        base_ += (quickest - base_) / 64;  // what a handler takes may change
        return;
      }
      if (++late_windows_ < late_windows_allowed || waiting_ < least_to_judge) return;
      stage_ = stage::limited;
      limit_ = std::max(least_limit, room_for(allowed()));
      next_probe_ = now + first_probe;
      last_shed_ = now;
      return;
    case stage::limited:
      if (now - last_shed_ > calm) {
        limit_ = unlimited;
        late_windows_ = 0;
        stage_ = stage::open;
      } else if (now >= next_probe_) {
        limit_ = room_for(base_);
        stage_ = stage::draining;
      } else if (late) {
        limit_ = std::max(least_limit, room_for(allowed()));
      } else if (waiting_ >= limit_ / 2) {
        // No quicker than the answers tell what came of it.
        limit_ +=
            limit_ * static_cast<std::size_t>(window / 1us) / static_cast<std::size_t>(8 * allowed() / 1us) +
            1;
      }
      return;
    case stage::draining:
      // Those who were let in before have their turn; who comes behind them meets no queue.
      if (waiting_ <= limit_ + 1) stage_ = stage::probing;
      return;
    case stage::probing:
      base_ = quickest;
      limit_ = std::max(least_limit, room_for(allowed()));
      next_probe_ = now + between_probes;
      stage_ = stage::limited;
      return;
  }
}

}  // namespace corbel
