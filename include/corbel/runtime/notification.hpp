#pragma once

#include <memory>

#include <corbel/runtime/task.hpp>

namespace corbel {

namespace detail {
struct suspended;
}

/// Lets one coroutine wait until something on its own loop has happened. It carries no memory of a `notify`
/// that nobody waited for: check your condition, wait, check again. Belongs to one loop; not thread-safe.
class notification {
 public:
  notification();
  ~notification();
  notification(const notification&) = delete;
  notification& operator=(const notification&) = delete;

  /// Suspends until `notify`. Cancelling the awaiting coroutine ends the wait with `operation_aborted`.
  /// Precondition: nobody else waits here, and this outlives the wait.
  task<> wait();
  /// Wakes who waits, behind whatever runs now.
  void notify();
  bool awaited() const noexcept { return waiter_ != nullptr; }

 private:
  std::unique_ptr<detail::suspended> waiter_;
};

}  // namespace corbel
