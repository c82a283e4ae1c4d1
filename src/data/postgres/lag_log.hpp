#pragma once

#include <chrono>
#include <deque>

#include "corbel/data/postgres/replicas.hpp"

namespace corbel::postgres {

/// Where a primary's log was at which times: how far behind a replica is can be told from it. Old times are
/// kept sparsely, so that the log says something of any lag and stays small.
class lag_log {
 public:
  using steady = std::chrono::steady_clock;

  /// Of a replica that had replayed so far when it was asked. What it has, the primary had written at a time
  /// that was seen: it is no further behind than that. What it lacks, it lacks since a time that was seen.
  struct lag {
    steady::duration most = steady::duration::max();
    steady::duration least{};
    /// Between the two times: what lies there could not be seen.
    steady::duration unseen = steady::duration::max();
  };

  /// The primary had written so much at the latest when it was asked, and that was not before the last time.
  void add(steady::time_point asked_at, log_position written);
  lag of(log_position replayed, steady::time_point asked_at, steady::time_point now) const;

  std::size_t size() const noexcept { return samples_.size(); }

 private:
  struct sample {
    steady::time_point at;
    log_position written;
  };

  void thin_out(steady::time_point now);

  std::deque<sample> samples_;
};

}  // namespace corbel::postgres
