#pragma once

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "corbel/runtime/blocking_pool.hpp"
#include "corbel/runtime/task.hpp"
#include "data/sqlite/connection.hpp"

namespace corbel::sqlite {

class connection_pool;

/// A connection taken out of the pool. The last one who holds it gives it back, rolled back; work that was
/// abandoned holds it until it ends.
class lease {
 public:
  lease(std::shared_ptr<connection_pool> home, role as, std::unique_ptr<connection> taken)
      : home_(std::move(home)), as_(as), taken_(std::move(taken)) {}
  ~lease();
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;

  connection& operator*() const noexcept { return *taken_; }
  connection* operator->() const noexcept { return taken_.get(); }

 private:
  const std::shared_ptr<connection_pool> home_;
  const role as_;
  std::unique_ptr<connection> taken_;
};

/// The writer and the readers, and who waits for them, in order of arrival. Thread-safe; waiting suspends a
/// coroutine and never a thread.
class connection_pool {
 public:
  /// Opens every connection. `cleaners` runs rollbacks of abandoned transactions; it outlives the pool's use.
  connection_pool(const options& how, blocking_pool& cleaners);

  /// Throws `failure` (unavailable) when too many wait already, when `checkout_timeout` has passed, and when
  /// the pool is closed.
  static task<std::shared_ptr<lease>> checkout(std::shared_ptr<connection_pool> from, role as);

  /// Refuses everyone who waits or comes later, and closes connections as they return.
  void close();

 private:
  friend class lease;
  struct waiter;
  struct lane {
    std::vector<std::unique_ptr<connection>> idle;
    std::deque<std::shared_ptr<waiter>> waiting;
  };
  struct leaving;

  lane& lane_of(role as) { return lanes_[shared_ ? 0 : static_cast<std::size_t>(as)]; }
  void give_back(role as, std::unique_ptr<connection> used) noexcept;
  void hand_on(role as, std::unique_ptr<connection> clean) noexcept;

  const std::size_t most_waiting_;
  const std::chrono::milliseconds checkout_timeout_;
  const bool shared_;
  blocking_pool& cleaners_;
  std::mutex mutex_;
  bool closed_ = false;
  std::array<lane, 2> lanes_;
};

}  // namespace corbel::sqlite
