#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace corbel {
class event_loop;
}

namespace corbel::detail {

/// Carries work of other threads to a loop, for as long as the loop is there. Thread-safe; lives in a
/// shared_ptr. Each loop has one without a limit (`event_loop::mail`), for answers that somebody waits for.
class mailbox : public std::enable_shared_from_this<mailbox> {
 public:
  static constexpr std::size_t no_limit = ~std::size_t{0};

  /// At most `limit` pieces of work wait for their turn: for what its sender can do without, or send later.
  explicit mailbox(event_loop& loop, std::size_t limit = no_limit) : limit_(limit), loop_(&loop) {}

  /// Runs `work` on the loop's thread. False, with nothing done, when as many wait as may, or when it is
  /// closed. What waits when it is closed is dropped.
  bool post(std::function<void()> work);
  /// From the loop's thread, or when that has ended: once this returns, nothing more is run or posted.
  void close();
  bool is_open() const;
  /// Pieces of work that wait for their turn now.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> waiting_{0};
  mutable std::mutex mutex_;
  event_loop* loop_;
};

}  // namespace corbel::detail
