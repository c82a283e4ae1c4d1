#pragma once

#include <optional>
#include <string_view>

#include "corbel/base/time.hpp"

namespace corbel::data {

/// Reads a point in time as SQL writes it: "2026-01-02 03:04:05.678901+00", which is Postgres's with
/// `DateStyle=ISO`. The fraction may be missing, and is rounded down to milliseconds; offsets are "+05",
/// "-05:30" or, for old local times, "+00:19:32"; without one the time counts as UTC. Empty for anything
/// else: "infinity", years BC and beyond 9999, and bare dates are no timestamps here.
std::optional<timestamp> parse_sql_timestamp(std::string_view text) noexcept;

}  // namespace corbel::data
