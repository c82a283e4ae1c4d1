#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <queue>
#include <utility>
#include <vector>

namespace load {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// A coroutine that runs at once, belongs to nobody and frees itself at its end. It must not throw.
struct detached {
  struct promise_type {
    detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

class poller;

/// One descriptor, or none, and the one coroutine that waits for it. Stays where it is, and outlives the
/// wait.
class waiter {
 public:
  enum class woken : std::uint8_t { ready, late };

  explicit waiter(poller& at) : at_(at) {}
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;

  /// Watches a connection's descriptor until `forget`. Throws std::system_error.
  void watch(int fd, bool for_writing);
  /// To be called before the descriptor is closed, or when nobody shall be woken by it any more.
  void forget() noexcept;

  /// `co_await w.until(t)`: `ready` as soon as the descriptor is, `late` once `t` has passed.
  auto until(time_point t) noexcept {
    struct awaiter {
      waiter& self;
      time_point when;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> h) { self.suspend(h, when); }
      woken await_resume() const noexcept { return self.why_; }
    };
    return awaiter{*this, t};
  }

 private:
  friend class poller;
  void suspend(std::coroutine_handle<> h, time_point until);
  void resume(woken why) {
    why_ = why;
    std::exchange(waiting_, nullptr).resume();
  }

  poller& at_;
  std::coroutine_handle<> waiting_;
  time_point until_{};
  time_point alarm_ = time_point::max();  // the earliest alarm of this waiter in the poller's queue
  int fd_ = -1;
  bool writing_ = false;
  woken why_ = woken::ready;
};

/// One thread's loop: a level-triggered epoll set and a queue of alarms. It shares no code with the library
/// that it is used to measure.
class poller {
 public:
  /// `spin` looks again and again and never sleeps. A sleeping core wakes up some 10 to 50 us late; and
  /// whoever sends to a sleeper pays for waking it, so the server's CPU would depend on how often the load
  /// happens to sleep.
  explicit poller(bool spin = false);
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Runs coroutines until none waits.
  void run();
  /// Of this turn of the loop: read once for all whom it wakes.
  time_point now() const noexcept { return now_; }
  void refresh_now() noexcept { now_ = clock::now(); }

 private:
  friend class waiter;
  struct alarm {
    time_point when;
    waiter* whose;
    bool operator>(const alarm& o) const noexcept { return when > o.when; }
  };

  void ring();
  int wait_for_events();

  int set_;
  bool spin_;
  time_point now_ = clock::now();
  std::size_t waiting_ = 0;
  std::priority_queue<alarm, std::vector<alarm>, std::greater<>> alarms_;
  std::vector<epoll_event> batch_;
};

}  // namespace load
