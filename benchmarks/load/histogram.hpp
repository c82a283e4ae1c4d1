#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace load {

/// Counts durations in log-linear buckets, as HdrHistogram does: each power of two is cut into 128 equal
/// parts, so a quantile is at most 1/128 (0.8 %) above the value it stands for and never below it. Fixed
/// size, about 34 KiB; `record` is a few instructions.
class histogram {
 public:
  static constexpr unsigned precision_bits = 7;
  static constexpr double relative_error = 1.0 / (1 << precision_bits);
  /// About 18 minutes; what takes longer is counted in the last bucket, and by `overflowed`.
  static constexpr std::chrono::nanoseconds longest{(std::int64_t{1} << 40) - 1};

  /// A negative duration counts as 0.
  void record(std::chrono::nanoseconds value) noexcept { record(value, 1); }
  void record(std::chrono::nanoseconds value, std::uint64_t times) noexcept;
  void merge(const histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t overflowed() const noexcept { return overflowed_; }
  /// Exact, also beyond `longest`. 0 when nothing was recorded, like all that follow.
  std::chrono::nanoseconds max() const noexcept { return std::chrono::nanoseconds(max_); }
  std::chrono::nanoseconds mean() const noexcept;
  /// The smallest duration that at least `q` of all values do not exceed, rounded up to its bucket's end but
  /// not beyond `max`. `q` from 0 to 1.
  std::chrono::nanoseconds quantile(double q) const noexcept;
  /// The buckets that hold something, from the shortest: each one's longest duration, and its count.
  std::vector<std::pair<std::chrono::nanoseconds, std::uint64_t>> filled() const;

 private:
  static constexpr std::size_t parts = std::size_t{1} << precision_bits;
  static constexpr std::size_t buckets = (40 - precision_bits + 1) * parts;

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t overflowed_ = 0;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace load
