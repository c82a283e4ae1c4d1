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

  friend auto operator<=>(const log_position&, const log_position&) = default;
};

/// "16/B374D848", as Postgres writes it: fit for a cookie or a header.
std::string to_text(log_position at);
std::optional<log_position> parse_log_position(std::string_view text) noexcept;

/// Which reads may go to replicas, and to which.
struct read_policy {
  /// A replica that is further behind is passed over. It is measured about five times a second, so less than
  /// 500 ms is seldom met. 0 takes any.
  std::chrono::milliseconds max_lag{2000};
  /// Only a replica that has replayed the log up to here: what was written before, it shows.
  std::optional<log_position> after{};
  /// Where a read goes that no replica may take: to the primary, or back as `unavailable`.
  bool fall_back = true;
};

}  // namespace corbel::postgres
