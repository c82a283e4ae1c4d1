#include "data/postgres/lag_log.hpp"

#include <algorithm>

namespace corbel::postgres {
namespace {

constexpr std::size_t most_samples = 600;
/// A time that is past by so much may be off by this part of it.
constexpr int precision = 32;

}  // namespace

void lag_log::add(steady::time_point asked_at, log_position written) {
  samples_.push_back({asked_at, written});
  if (samples_.size() <= most_samples) return;
  thin_out(asked_at);
  if (samples_.size() > most_samples) samples_.pop_front();
}

/// A sample goes when those around it are near enough to one another for their age.
void lag_log::thin_out(steady::time_point now) {
  std::deque<sample> kept;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const bool inside = !kept.empty() && i + 1 < samples_.size();
    const auto& one = samples_[i];
    if (inside && samples_[i + 1].at - kept.back().at < (now - one.at) / precision) continue;
    kept.push_back(one);
  }
  samples_ = std::move(kept);
}

lag_log::lag lag_log::of(log_position replayed, steady::time_point asked_at, steady::time_point now) const {
  lag is;
  const sample* lacks = nullptr;
  for (auto seen = samples_.rbegin(); seen != samples_.rend(); ++seen) {
    if (seen->written.value <= replayed.value) {
      is.most = now - seen->at;
      is.unseen = (lacks ? lacks->at : now) - seen->at;
      break;
    }
    lacks = &*seen;
  }
  if (lacks) is.least = std::max(asked_at - lacks->at, steady::duration::zero());
  return is;
}

}  // namespace corbel::postgres
