#include "data/postgres/thread_wait.hpp"

#include <set>
#include <vector>

#include "runtime/mailbox.hpp"

namespace corbel::postgres {

struct thread_wait::waiting_room : std::enable_shared_from_this<waiting_room> {
  waiting_room() = default;
  ~waiting_room() {
    std::vector<std::unique_ptr<corbel::detail::suspended>> all;
    for (const auto& one : std::exchange(waiting, {})) all.push_back(std::move(one->waiter_));
  }
  waiting_room(const waiting_room&) = delete;
  waiting_room& operator=(const waiting_room&) = delete;

  std::set<std::shared_ptr<thread_wait>> waiting;
};

thread_wait::thread_wait(event_loop& here, waiting_rooms& rooms) : mail_(here.mail()) {
  if (auto* const kept = rooms.find(here)) {
    room_ = kept->weak_from_this();
    return;
  }
  const auto made = std::make_shared<waiting_room>();
  room_ = made;
  (void)rooms.keep(here, made);
}

void thread_wait::tell() {
  mail_->post([self = shared_from_this()] { self->go_on(); });
}

void thread_wait::go_on() {
  if (auto who = leave()) who.release()->resume({});
}

std::unique_ptr<corbel::detail::suspended> thread_wait::leave() {
  const auto self = shared_from_this();
  if (const auto room = room_.lock()) room->waiting.erase(self);
  return std::move(waiter_);
}

task<> thread_wait::until_told(std::shared_ptr<thread_wait> mine, std::function<void()> begin) {
  auto sit_down = [mine, begin = std::move(begin)](std::unique_ptr<corbel::detail::suspended> who) {
    mine->waiter_ = std::move(who);
    if (const auto room = mine->room_.lock()) room->waiting.insert(mine);
    begin();
  };
  auto withdraw = [mine] { return mine->leave(); };
  return corbel::detail::suspend(std::move(sit_down), std::move(withdraw));
}

}  // namespace corbel::postgres
