#pragma once

#include <functional>
#include <memory>

#include "corbel/runtime/event_loop.hpp"
#include "corbel/runtime/loop_local.hpp"
#include "corbel/runtime/task.hpp"
#include "runtime/suspended.hpp"

namespace corbel::postgres {

/// A coroutine that waits until another thread tells it to go on. When its loop ends before, so does the
/// coroutine, and the thread tells nobody. Made on the loop.
class thread_wait : public std::enable_shared_from_this<thread_wait> {
 public:
  /// Who waits on one loop: what holds a coroutine from outside of the loop would outlive it.
  struct waiting_room;
  using waiting_rooms = loop_local<waiting_room>;

  /// `rooms` outlive all that wait in them.
  thread_wait(event_loop& here, waiting_rooms& rooms);
  thread_wait(const thread_wait&) = delete;
  thread_wait& operator=(const thread_wait&) = delete;

  /// Runs `begin`, which hands the wait to who will tell, and waits. Cancelling ends it.
  static task<> until_told(std::shared_ptr<thread_wait> mine, std::function<void()> begin);
  /// From any thread.
  void tell();

 private:
  void go_on();
  std::unique_ptr<corbel::detail::suspended> leave();

  std::weak_ptr<waiting_room> room_;
  const std::shared_ptr<corbel::detail::mailbox> mail_;
  std::unique_ptr<corbel::detail::suspended> waiter_;  // of the loop
};

}  // namespace corbel::postgres
