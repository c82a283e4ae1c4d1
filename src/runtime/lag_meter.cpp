#include "corbel/runtime/lag_meter.hpp"

#include <algorithm>

namespace corbel {
namespace {

/// So many targets' time of late rounds in a row is no burst any more.
constexpr int allowed_lag = 5;
/// So long after the last refusal the meter stays on guard. It refuses nothing that is in time, so nothing
/// is lost by it; and a load that goes on need not build up its queue again to be noticed.
constexpr std::chrono::seconds guard{2};

}  // namespace

void lag_meter::note_late(clock::duration lasted) noexcept {
  if (target_ == clock::duration::zero()) return;
  behind_ += lasted;
  if (late_ || behind_ < allowed_lag * target_) return;
  late_ = true;
  refused_ = began_;
}

void lag_meter::note_in_time(clock::time_point now) noexcept {
  if (late_ && now - refused_ < guard) return;
  late_ = false;
  behind_ = clock::duration::zero();
}

bool lag_meter::admit(clock::time_point now) noexcept {
  if (!late_) return true;
  if (admitted_ >= began_) {
    const auto took = now - admitted_;
    typical_ = typical_ == clock::duration::zero() ? took : typical_ + (took - typical_) / 4;
  }
  // Work that takes nearly the target by itself would otherwise be refused as soon as two meet.
  if (now - began_ >= std::max(target_, 2 * typical_)) {
    refused_ = now;
    admitted_ = {};
    return false;
  }
  admitted_ = now;
  return true;
}

}  // namespace corbel
