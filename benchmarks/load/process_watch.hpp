#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace load {

/// What Linux tells about other processes, summed over them. One that has gone counts as nothing.
class process_watch {
 public:
  struct reading {
    std::chrono::nanoseconds cpu{};  ///< user and system time of all threads, ended ones included
    std::chrono::nanoseconds
        starved{};               ///< time that living threads were runnable without a core (schedstat)
    std::uint64_t resident = 0;  ///< bytes
  };

  explicit process_watch(std::vector<pid_t> all) : all_(std::move(all)) {}
  reading read() const;
  bool empty() const noexcept { return all_.empty(); }

 private:
  std::vector<pid_t> all_;
};

}  // namespace load
