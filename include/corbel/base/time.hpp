#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace corbel {

/// A point in UTC, to the millisecond.
using timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

/// A calendar day, without a zone.
using date = std::chrono::year_month_day;

/// What texts can say: the years 1 to 9999. Four digits hold no later one, and Postgres knows no year 0.
inline constexpr timestamp earliest_timestamp = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
inline constexpr timestamp latest_timestamp =
    std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - std::chrono::milliseconds{1};

/// "2026-01-02T03:04:05.678Z" (RFC 3339). What is earlier or later than texts can say becomes the earliest or
/// the latest.
std::string to_text(timestamp t);
void append_text(std::string& out, timestamp t);
/// Reads any RFC 3339 date-time, offset and fraction included, rounding the fraction down to milliseconds.
/// A leap second (:60) reads as the second after, and is taken only as the last of a month in UTC, the one
/// place where there can be one. Empty when the text is anything else, or when in UTC it is outside the years
/// 1 to 9999.
std::optional<timestamp> parse_timestamp(std::string_view text) noexcept;

/// "2026-01-02" (RFC 3339 full-date), clamped as a timestamp is.
std::string to_text(date d);
void append_text(std::string& out, date d);
/// Empty unless the text is a day that exists, in the years 1 to 9999.
std::optional<date> parse_date(std::string_view text) noexcept;

}  // namespace corbel
