#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "corbel/data/postgres/blocking.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "data/postgres/call.hpp"
#include "data/postgres/cancellations.hpp"
#include "data/postgres/thread_wait.hpp"

namespace corbel::postgres {

/// A session and who uses it. Shared by its user, the thread that works on it, and whoever stops it.
struct blocking_seat {
  std::mutex mutex;
  /// Whoever stops it holds it, too, and may be at that for longer than its user is there.
  std::shared_ptr<detail::blocking_session> session;
  const void* kind = nullptr;
  bool working = false;
  bool left = false;     // its user has gone
  bool stopped = false;  // of no more use
  steady::time_point opened_at{};
  /// An idle one of another kind, which had to make room: closed on a thread.
  std::shared_ptr<detail::blocking_session> in_its_place;
};
using seat_ptr = std::shared_ptr<blocking_seat>;

/// Connections of libraries that block, and the threads that they are used on: as many of one as of the
/// other, for all loops together. Thread-safe.
class blocking_side : public std::enable_shared_from_this<blocking_side> {
 public:
  blocking_side(const options& how, std::shared_ptr<cancellations> cancelling);
  ~blocking_side();

  /// A seat of one's own; gives it back, and what it still runs up, when it is destroyed.
  class lease {
   public:
    lease() = default;
    lease(std::shared_ptr<blocking_side> home, seat_ptr seat)
        : home_(std::move(home)), seat_(std::move(seat)) {}
    lease(lease&& other) noexcept = default;
    lease& operator=(lease&&) = delete;
    ~lease();
    const seat_ptr& seat() const noexcept { return seat_; }
    blocking_side& home() const noexcept { return *home_; }

   private:
    std::shared_ptr<blocking_side> home_;
    seat_ptr seat_;
  };

  /// Waits at most `checkout_timeout`. Throws `failure` (unavailable).
  static task<lease> take(std::shared_ptr<blocking_side> from, const void* kind);

  /// Runs the work on a thread, opening the session first when the seat has none. Cancelling stops it: the
  /// session is of no more use then.
  static task<void> run(std::shared_ptr<blocking_side> on, seat_ptr seat, detail::session_maker how,
                        std::shared_ptr<detail::blocking_work> work);

  /// Refuses what waits and what comes; returns when what runs has ended.
  void stop();
  const options& how() const noexcept { return how_; }

 private:
  struct waiter;
  struct idle_session {
    const void* kind;
    std::shared_ptr<detail::blocking_session> session;
    steady::time_point opened_at;
  };

  void work_on(const seat_ptr& seat, detail::session_maker how, detail::blocking_work& work);
  void leave(const seat_ptr& seat);
  void put_back(const seat_ptr& seat);
  void stop_soon(const seat_ptr& seat);
  void queue_up(const std::shared_ptr<waiter>& who);
  void release_slot();
  void seat_down(blocking_seat& seat, const void* kind);

  const options how_;
  const std::string conninfo_;
  std::mutex mutex_;
  bool closed_ = false;
  thread_wait::waiting_rooms rooms_;
  std::size_t free_slots_;
  std::deque<std::shared_ptr<waiter>> waiting_;
  std::deque<idle_session> idle_;  // the one used last at the end
  blocking_pool workers_;
  const std::shared_ptr<cancellations> cancelling_;
};

}  // namespace corbel::postgres
