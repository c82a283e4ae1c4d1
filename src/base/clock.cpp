#include "corbel/base/clock.hpp"

#include <cstdint>
#include <ctime>

namespace corbel {
namespace {

class machine_clock final : public clock {
 public:
  timestamp now() const noexcept override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  timestamp recently() const noexcept override {
#if defined(CLOCK_REALTIME_COARSE)
    ::timespec at;
    if (::clock_gettime(CLOCK_REALTIME_COARSE, &at) == 0)  // a tenth of the other's cost
      return timestamp(std::chrono::milliseconds(std::int64_t{at.tv_sec} * 1000 + at.tv_nsec / 1'000'000));
#endif
    return now();
  }
  std::chrono::steady_clock::time_point steady() const noexcept override {
    return std::chrono::steady_clock::now();
  }
};

}  // namespace

const clock& system_clock() noexcept {
  static const machine_clock instance;
  return instance;
}

}  // namespace corbel
