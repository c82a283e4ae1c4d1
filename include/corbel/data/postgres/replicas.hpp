#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corbel::postgres {

/// A place in the primary's write-ahead log. Later is more.
struct log_position {
  std::uint64_t value = 0;
  /// The history that it is of: each failover begins another. 0 when it is not known.
  std::uint32_t timeline = 0;

  friend auto operator<=>(const log_position&, const log_position&) = default;
};

/// "16/B374D848", as Postgres writes it, with "@2" behind it for the timeline when that is known: fit for a
/// cookie or a header.
std::string to_text(log_position at);
std::optional<log_position> parse_log_position(std::string_view text) noexcept;

/// Which reads may go to replicas, and to which.
struct read_policy {
  /// A replica that is further behind is passed over. It is measured about five times a second while reads
  /// ask, so less than 500 ms is seldom met; behind a pause the first read waits for that, at most 300 ms. 0
  /// takes any.
  std::chrono::milliseconds max_lag{2000};
  /// Only a replica that has replayed the log up to here: what was written before, it shows. With a timeline,
  /// as `database::position` gives it, only one that is known to follow that.
  std::optional<log_position> after{};
  /// Where a read goes that no replica may take: to the primary, where it may not write either, or back as
  /// `unavailable`. Where there are no replicas at all, always to the primary.
  bool fall_back = true;
};

}  // namespace corbel::postgres
