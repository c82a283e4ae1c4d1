#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/time.hpp>

namespace corbel {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), with the part of a second left out. Years outside
/// 0..9999 are clamped into it.
std::string http_date(timestamp t);
void append_http_date(std::string& out, timestamp t);

/// Reads that form and the two obsolete ones, of RFC 850 ("Sunday, 06-Nov-94 08:49:37 GMT") and of C's
/// asctime
/// ("Sun Nov  6 08:49:37 1994"), each exactly; empty for anything else. The day must exist; that its weekday
/// is right is not checked. A year of two digits is the one that lies at most 50 years behind `now`, or ahead
/// of it.
std::optional<timestamp> parse_http_date(std::string_view text, timestamp now) noexcept;

}  // namespace corbel
