#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/describe/describe.hpp>

namespace corbel {

/// A span of calendar time, as Postgres's `interval` holds it. The three parts stand for themselves, since a
/// month has no fixed number of days nor a day of hours; each may be negative, and so may all. Equal are
/// intervals of equal parts. For a span of a clock's time take std::chrono's durations.
struct interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t microseconds = 0;

  friend bool operator==(const interval&, const interval&) = default;
};

/// "P1Y2M3DT4H5M6.5S", "P-1Y-2M3DT-4H-5M-6.789S", "PT0S": ISO 8601 as Postgres writes it with
/// `IntervalStyle=iso_8601`.
std::string to_text(const interval& span);
/// Reads that form: years, months, weeks and days, then 'T' and hours, minutes and seconds, each at most once
/// and in this order; only seconds have a fraction, of up to six digits. Empty for anything else, and for
/// what the parts cannot hold.
std::optional<interval> from_text(tag<interval>, std::string_view text) noexcept;
constexpr std::string_view expectation(tag<interval>) {
  return "an ISO 8601 duration such as P1Y2M3DT4H";
}

}  // namespace corbel
