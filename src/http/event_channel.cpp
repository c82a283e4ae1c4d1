#include "corbel/http/event_channel.hpp"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <mutex>
#include <utility>
#include <vector>

#include "corbel/runtime/notification.hpp"

namespace corbel {

namespace asio = boost::asio;

namespace {

constexpr std::size_t batch_bytes = 64 * 1024;

/// A subscriber that has read everything.
struct waiter {
  explicit waiter(asio::any_io_executor l) : loop(std::move(l)) {}
  asio::any_io_executor loop;
  notification news;
};
using waiters = std::vector<std::shared_ptr<waiter>>;

void append_missed(std::string& out, const std::optional<std::uint64_t>& count) {
  const auto text = R"({"count":)" + (count ? std::to_string(*count) : std::string("null")) + '}';
  append_event(out, server_event(text).event("missed"));
}

}  // namespace

struct event_channel::core {
  explicit core(const event_channel_settings& how) : settings(how), history(how.events, how.bytes) {}

  /// Under the mutex: a waiter that is still listed cannot go away meanwhile, nor can its loop. One post for
  /// each loop, however many wait there.
  void wake_all() {
    while (!waiting.empty()) {
      const auto loop = waiting.back()->loop;
      const auto others = std::partition(waiting.begin(), waiting.end(),
                                         [&](const std::shared_ptr<waiter>& w) { return w->loop != loop; });
      asio::post(loop, [here = waiters(others, waiting.end())] {
        for (const auto& each : here) each->news.notify();
      });
      waiting.erase(others, waiting.end());
    }
  }

  const event_channel_settings settings;
  mutable std::mutex mutex;
  event_history history;
  waiters waiting;
  std::size_t subscribers = 0;
  bool closed = false;
};

event_channel::event_channel(event_channel_settings settings) : core_(std::make_shared<core>(settings)) {}

event_channel::~event_channel() {
  close();
}

std::string event_channel::publish(server_event e) {
  const std::lock_guard lock(core_->mutex);
  if (core_->closed) return {};
  auto id = core_->history.add(std::move(e));
  core_->wake_all();
  return id;
}

event_subscription event_channel::subscribe(const last_event_id& last) {
  const std::lock_guard lock(core_->mutex);
  return event_subscription(core_, core_->history.find(last.value));
}

void event_channel::close() {
  const std::lock_guard lock(core_->mutex);
  core_->closed = true;
  core_->wake_all();
}

std::size_t event_channel::subscribers() const {
  const std::lock_guard lock(core_->mutex);
  return core_->subscribers;
}

event_subscription::event_subscription(std::shared_ptr<event_channel::core> of, event_history::position at)
    : core_(std::move(of)), at_(at) {
  ++core_->subscribers;
}

event_subscription::~event_subscription() {
  if (!core_) return;
  const std::lock_guard lock(core_->mutex);
  --core_->subscribers;
}

task<> event_subscription::operator()(event_sink& to) {
  auto& channel = *core_;
  const auto me = std::make_shared<waiter>(co_await asio::this_coro::executor);
  struct leaving {
    event_channel::core& from;
    const std::shared_ptr<waiter>& who;
    ~leaving() {
      const std::lock_guard lock(from.mutex);
      from.waiting.erase(std::remove(from.waiting.begin(), from.waiting.end(), who), from.waiting.end());
    }
  } const on_exit{channel, me};
  std::string batch;
  std::string news;
  for (bool first = true;; first = false) {
    batch.clear();
    news.clear();
    {
      const std::lock_guard lock(channel.mutex);
      channel.history.read(at_, news, batch_bytes);
      if (at_.missed != 0 && !first && channel.settings.slow == slow_subscriber::close) co_return;
      if (at_.missed != 0) append_missed(batch, std::exchange(at_.missed, 0));
      batch += news;
      if (batch.empty()) {
        if (channel.closed) co_return;
        channel.waiting.push_back(me);
      }
    }
    if (batch.empty())
      co_await me->news.wait();
    else
      co_await to.write(batch);
  }
}

}  // namespace corbel
