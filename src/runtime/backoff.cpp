#include "runtime/backoff.hpp"

#include <algorithm>
#include <random>

namespace corbel::detail {

backoff::backoff(duration shortest, duration longest, std::uint64_t seed)
    : shortest_(shortest), longest_(longest), state_(seed) {}

std::uint64_t backoff::any_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

/// SplitMix64: the standard's distributions give other numbers with each library.
std::uint64_t backoff::random() noexcept {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

backoff::duration backoff::spread(duration most) {
  if (most <= duration::zero()) return duration::zero();
  const auto least = most / 2;
  const auto room = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + duration(static_cast<duration::rep>(random() % room));
}

backoff::duration backoff::next() {
  auto most = std::min(shortest_, longest_);
  for (int i = 0; i < failures_ && most < longest_; ++i) most = most > longest_ / 2 ? longest_ : most * 2;
  ++failures_;
  return spread(most);
}

}  // namespace corbel::detail
