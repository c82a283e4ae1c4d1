#include "load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace load {
namespace {

// Values below two powers of `parts` have a bucket each; above, the top bits select one.
std::size_t bucket_of(std::uint64_t value) {
  const auto width = static_cast<int>(std::bit_width(value));
  const int shift = std::max(0, width - 1 - static_cast<int>(histogram::precision_bits));
  return (static_cast<std::size_t>(shift) << histogram::precision_bits) +
         static_cast<std::size_t>(value >> shift);
}

/// The largest value of a bucket.
std::uint64_t end_of(std::size_t bucket) {
  const std::size_t row = bucket >> histogram::precision_bits;
  if (row <= 1) return bucket;
  const std::size_t shift = row - 1;
  const std::uint64_t top = bucket - (shift << histogram::precision_bits);
  return ((top + 1) << shift) - 1;
}

}  // namespace

void histogram::record(std::chrono::nanoseconds value, std::uint64_t times) noexcept {
  if (times == 0) return;
  const auto exact = std::max<std::int64_t>(value.count(), 0);
  const auto kept = std::min<std::int64_t>(exact, longest.count());
  counts_[bucket_of(static_cast<std::uint64_t>(kept))] += times;
  count_ += times;
  if (exact != kept) overflowed_ += times;
  max_ = std::max(max_, exact);
  sum_ += static_cast<double>(exact) * static_cast<double>(times);
}

void histogram::merge(const histogram& other) noexcept {
  for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  overflowed_ += other.overflowed_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

std::chrono::nanoseconds histogram::mean() const noexcept {
  if (count_ == 0) return {};
  return std::chrono::nanoseconds(std::llround(sum_ / static_cast<double>(count_)));
}

std::chrono::nanoseconds histogram::quantile(double q) const noexcept {
  if (count_ == 0) return {};
  const auto wanted = std::max(1.0, std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts_[i];
    if (static_cast<double>(seen) < wanted) continue;
    // The last bucket has no end: it holds whatever overflowed.
    if (i + 1 == buckets) break;
    return std::chrono::nanoseconds(std::min(static_cast<std::int64_t>(end_of(i)), max_));
  }
  return max();
}

std::vector<std::pair<std::chrono::nanoseconds, std::uint64_t>> histogram::filled() const {
  std::vector<std::pair<std::chrono::nanoseconds, std::uint64_t>> found;
  for (std::size_t i = 0; i < buckets; ++i)
    if (counts_[i]) found.emplace_back(end_of(i), counts_[i]);
  return found;
}

}  // namespace load
