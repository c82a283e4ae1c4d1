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

/// "2026-01-02T03:04:05.678Z" (RFC 3339). Years outside 0..9999 are clamped into it.
std::string to_text(timestamp t);
void append_text(std::string& out, timestamp t);
/// Reads any RFC 3339 date-time, offset and fraction included, rounding the fraction down to milliseconds.
/// A leap second (:60) reads as the second after. Empty when the text is anything else.
std::optional<timestamp> parse_timestamp(std::string_view text) noexcept;

/// "2026-01-02" (RFC 3339 full-date).
std::string to_text(date d);
void append_text(std::string& out, date d);
/// Empty unless the text is a day that exists.
std::optional<date> parse_date(std::string_view text) noexcept;

}  // namespace corbel
