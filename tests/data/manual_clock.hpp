#pragma once

#include "corbel/base/clock.hpp"

/// A clock that stands still until it is moved.
struct manual_clock final : corbel::clock {
  corbel::timestamp now() const noexcept override { return time; }
  std::chrono::steady_clock::time_point steady() const noexcept override { return {}; }
  corbel::timestamp time = *corbel::parse_timestamp("2026-01-02T03:04:05.678Z");
};
