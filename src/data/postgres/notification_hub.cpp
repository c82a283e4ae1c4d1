#include "data/postgres/notification_hub.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "data/postgres/names.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr steady::duration shortest_backoff = 25ms;
constexpr steady::duration longest_backoff = 5s;
constexpr auto urgent_tick = 50ms;
constexpr auto usual_tick = 1s;
/// Streams come and go: the connection stays for the next one.
constexpr auto linger = 10s;

void wake(detail::subscription& one) {
  if (one.waiter) one.waiter.release()->resume({});
}

void tell_gap(detail::subscription& one) {
  if (one.buffered.empty() || !std::holds_alternative<may_have_missed>(one.buffered.back()))
    one.buffered.emplace_back(may_have_missed());
  one.missed = false;
}

}  // namespace

notification_hub::notification_hub(event_loop& loop, std::shared_ptr<shared_state> shared)
    : loop_(loop),
      shared_(std::move(shared)),
      timer_(loop.context()),
      backoff_(shortest_backoff, longest_backoff) {}

notification_hub::~notification_hub() {
  end();
}

void notification_hub::end() {
  closed_ = true;
  timer_.cancel();
  if (const auto last = std::exchange(connection_, nullptr)) last->break_off("its event loop ended");
  // A coroutine that waits holds its stream, which holds the coroutine: here the circle is opened. What is
  // destroyed may look for itself here.
  std::vector<std::unique_ptr<corbel::detail::suspended>> waiters;
  for (const auto& one : streams_) waiters.push_back(std::move(one->waiter));
  by_channel_.clear();
  streams_.clear();
}

task<> notification_hub::wait(subscription_ptr mine) {
  auto begin = [mine](std::unique_ptr<corbel::detail::suspended> who) { mine->waiter = std::move(who); };
  auto withdraw = [mine] { return std::move(mine->waiter); };
  return corbel::detail::suspend(std::move(begin), std::move(withdraw));
}

void notification_hub::add(const subscription_ptr& fresh) {
  streams_.push_back(fresh);
  for (const auto& channel : fresh->channels) by_channel_[channel].push_back(fresh);
  fresh->give_up = steady::now() + shared_->how.checkout_timeout;
  if (closed_) {
    fresh->ended = busy_error("the database was stopped");
    return;
  }
  if (connection_)
    ask({fresh});
  else
    open();
  ticking_ = false;  // sooner than it was to
  arm_tick();
}

void notification_hub::remove(const subscription_ptr& old) {
  std::erase(streams_, old);
  std::vector<std::string> quiet;
  for (const auto& channel : old->channels) {
    const auto at = by_channel_.find(channel);
    if (at == by_channel_.end()) continue;
    std::erase(at->second, old);
    if (!at->second.empty()) continue;
    quiet.push_back(channel);
    by_channel_.erase(at);
  }
  if (!old->ended) old->ended = internal_error("a stream of notifications was used after it had ended");
  wake(*old);
  unlisten(quiet);
  if (!streams_.empty()) return;
  idle_since_ = steady::now();
  // A loop that ends when nothing is left to do shall not wait for this.
  if (loop_.is_guest()) leave();
}

/// Only where the server listens: one that took no LISTEN takes no UNLISTEN, and the connection would be
/// given up for it.
void notification_hub::unlisten(const std::vector<std::string>& channels) {
  std::string script;
  for (const auto& channel : channels)
    if (listening_.erase(channel) > 0) script += "UNLISTEN " + quoted_name(channel, "a channel") + ";";
  if (connection_ && !script.empty()) connection_->control(script);
}

/// Some may be of streams that have gone meanwhile.
void notification_hub::listens_to(const std::vector<std::string>& channels) {
  std::vector<std::string> quiet;
  for (const auto& channel : channels) {
    listening_.insert(channel);
    if (!by_channel_.contains(channel)) quiet.push_back(channel);
  }
  unlisten(quiet);
}

void notification_hub::close() {
  closed_ = true;
  for (const auto& one : streams_) {
    one->ended = busy_error("the database was stopped");
    wake(*one);
  }
  leave();
}

/// Gives the connection up for good, or until the next stream.
void notification_hub::leave() {
  timer_.cancel();
  ticking_ = false;
  if (const auto last = std::exchange(connection_, nullptr)) {
    asio::post(loop_.context(), [last] {});  // until what called this has returned
    last->break_off("nobody listens");
    asked_.clear();
    listening_.clear();
  }
}

// Opening it, and asking.

void notification_hub::open() {
  if (closed_ || opening_ || connection_ || streams_.empty() || steady::now() < next_attempt_) return;
  opening_ = true;
  const bool accepted = shared_state::open_for(
      loop_, shared_, [weak = weak_from_this()](std::unique_ptr<link> made, const std::string& why) {
        if (const auto self = weak.lock()) self->opened(std::move(made), why);
      });
  if (!accepted) opening_ = false;
}

void notification_hub::opened(std::unique_ptr<link> made, const std::string& why) {
  opening_ = false;
  if (closed_ || streams_.empty()) return;
  if (!made) return try_again_later(why);
  connection_ = std::make_shared<connection>(loop_, *this, shared_->how, std::move(made));
  connection_->listens = true;
  ask(streams_);
}

/// Listening to a channel once more changes nothing, and its answer tells when a stream misses nothing more.
void notification_hub::ask(const std::vector<subscription_ptr>& whom) {
  std::set<std::string_view> channels;
  for (const auto& one : whom) channels.insert(one->channels.begin(), one->channels.end());
  std::string script;
  for (const auto channel : channels) script += "LISTEN " + quoted_name(channel, "a channel") + ";";
  const call_ptr listen(new call(data::statement::owning(std::move(script), {})));
  listen->script = true;
  for (const auto& one : whom) one->asked = listen;
  asked_[listen].assign(channels.begin(), channels.end());
  connection_->submit(listen);
}

void notification_hub::try_again_later(const std::string& why) {
  last_failure_ = why;
  next_attempt_ = steady::now() + backoff_.next();
  ticking_ = false;
  arm_tick();
}

// What the connection tells.

void notification_hub::on_done(call_ptr ended) {
  std::vector<subscription_ptr> whom;
  for (const auto& one : streams_)
    if (one->asked == ended) whom.push_back(one);
  for (const auto& one : whom) one->asked.reset();
  const auto channels = asked_.extract(ended);
  if (!ended->failed) {
    backoff_.reset();
    for (const auto& one : whom) {
      one->established = true;
      if (one->missed) tell_gap(*one);
      wake(*one);
    }
    if (channels && connection_) listens_to(channels.mapped());
    return;
  }
  const bool refused = report_of(*ended->failed) && connection_ && !connection_->broken();
  // One that the server does not take shall not take the others with it.
  if (refused && whom.size() > 1) {
    for (const auto& one : whom) ask({one});
    return;
  }
  for (const auto& one : whom) {
    if (refused && !one->established) {
      one->ended = *ended->failed;  // a server that takes no LISTEN, such as a standby
      wake(*one);
    } else if (connection_) {
      connection_->break_off(ended->failed->cause());
    }
  }
}

void notification_hub::on_progress(connection&) {}

void notification_hub::on_returned(call_ptr what) {
  // Its connection is nobody else's ever.
  connection_->submit(std::move(what));
}

void notification_hub::on_broken(connection&, std::vector<call_ptr>, const std::string& why) {
  if (const auto last = std::exchange(connection_, nullptr))
    if (!closed_) asio::post(loop_.context(), [last] {});
  asked_.clear();
  listening_.clear();
  if (closed_) return;
  for (const auto& one : streams_) {
    one->asked.reset();
    one->missed = one->established;
  }
  if (!streams_.empty()) try_again_later(why);
}

void notification_hub::on_unsent(connection&) {
  if (std::exchange(flush_posted_, true)) return;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->flush_posted_ = false;
    if (const auto on = self->connection_) on->flush();
  });
}

void notification_hub::on_notification(connection&, std::string_view channel, std::string_view payload) {
  const auto found = by_channel_.find(channel);
  if (found == by_channel_.end()) return;
  for (const auto& one : found->second) {
    if (one->missed) tell_gap(*one);
    if (one->buffered.size() >= one->most_buffered) {
      tell_gap(*one);
    } else {
      one->buffered.emplace_back(notification());
      auto& said = std::get<notification>(one->buffered.back());
      said.channel = channel;
      said.payload = payload;
    }
    if (one->established) wake(*one);
  }
}

// Time.

void notification_hub::arm_tick() {
  if (ticking_ || closed_ || (streams_.empty() && !connection_)) return;
  ticking_ = true;
  const bool calm = connection_ && std::all_of(streams_.begin(), streams_.end(), [](const auto& one) {
                      return one->established && !one->asked;
                    });
  timer_.expires_after(calm ? usual_tick : steady::duration(urgent_tick));
  if (!calm && !connection_ && next_attempt_ > steady::now())
    timer_.expires_after(std::min<steady::duration>(next_attempt_ - steady::now(), urgent_tick));
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->ticking_ = false;
    self->tick();
  });
}

void notification_hub::tick() {
  const auto now = steady::now();
  for (const auto& one : streams_) {
    if (one->established || one->ended || now < one->give_up) continue;
    one->ended = connection_error("listening did not begin in time; " + last_failure_);
    wake(*one);
  }
  if (const auto on = connection_) {
    on->check_deadlines(now);
    if (connection_ && on->idle() && now - on->last_used > ping_after) on->ping();
    if (connection_ && streams_.empty() && now - idle_since_ > linger) return leave();
  } else {
    open();
  }
  arm_tick();
}

}  // namespace corbel::postgres
