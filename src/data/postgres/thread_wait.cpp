#include "data/postgres/thread_wait.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

namespace corbel::postgres {

namespace asio = boost::asio;
using boost::system::error_code;

/// Who waits on one loop: what holds a coroutine from outside of the loop would outlive it.
struct thread_wait::waiting_room {
  explicit waiting_room(event_loop& loop) : mail(std::make_shared<mailbox>(loop)) {}
  ~waiting_room() {
    mail->close();
    std::vector<std::unique_ptr<corbel::detail::suspended>> all;
    for (const auto& one : std::exchange(waiting, {})) all.push_back(std::move(one->waiter_));
  }
  waiting_room(const waiting_room&) = delete;
  waiting_room& operator=(const waiting_room&) = delete;

  const std::shared_ptr<mailbox> mail;
  std::set<std::shared_ptr<thread_wait>> waiting;
};

std::shared_ptr<thread_wait::waiting_room> thread_wait::room_on(event_loop& loop) {
  static const char key = 0;
  auto& kept = loop.local(&key);
  if (!kept) kept = std::make_shared<waiting_room>(loop);
  return std::static_pointer_cast<waiting_room>(kept);
}

thread_wait::thread_wait(event_loop& here) : room_(room_on(here)), mail_(room_on(here)->mail) {}

void thread_wait::tell() {
  mail_->post([self = shared_from_this()] { self->go_on({}); });
}

void thread_wait::go_on(error_code why) {
  const auto self = shared_from_this();
  if (const auto room = room_.lock()) room->waiting.erase(self);
  if (waiter_) waiter_.release()->resume(why);
}

task<> thread_wait::until_told(std::shared_ptr<thread_wait> mine, std::function<void()> begin) {
  auto initiate = [](auto handler, std::shared_ptr<thread_wait> who, std::function<void()> hand_over) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    who->waiter_ = std::make_unique<corbel::detail::suspended_handler<decltype(handler)>>(std::move(handler));
    if (const auto room = who->room_.lock()) room->waiting.insert(who);
    if (slot.is_connected())
      slot.assign([who](asio::cancellation_type type) {
        const auto ends = type & (asio::cancellation_type::terminal | asio::cancellation_type::partial);
        if (ends != asio::cancellation_type::none) who->go_on(asio::error::operation_aborted);
      });
    hand_over();
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, std::move(mine), std::move(begin));
}

}  // namespace corbel::postgres
