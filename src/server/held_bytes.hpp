#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace corbel {

/// What one connection holds of a budget that all of them share.
class held_bytes {
 public:
  held_bytes() = default;
  explicit held_bytes(std::atomic<std::size_t>& all) : all_(&all) {}
  held_bytes(held_bytes&& other) noexcept
      : all_(std::exchange(other.all_, nullptr)), mine_(std::exchange(other.mine_, 0)) {}
  held_bytes& operator=(held_bytes&& other) noexcept {
    hold(0);
    all_ = std::exchange(other.all_, nullptr);
    mine_ = std::exchange(other.mine_, 0);
    return *this;
  }
  ~held_bytes() { hold(0); }

  /// From now on so many. Returns what all hold together.
  std::size_t hold(std::size_t bytes) noexcept {
    if (!all_) return 0;
    const auto more = bytes - std::exchange(mine_, bytes);  // modulo 2^64, as the sum is
    return more == 0 ? all_->load(std::memory_order_relaxed)
                     : all_->fetch_add(more, std::memory_order_relaxed) + more;
  }

 private:
  std::atomic<std::size_t>* all_ = nullptr;
  std::size_t mine_ = 0;
};

}  // namespace corbel
