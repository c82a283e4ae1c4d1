#include "data/postgres/pool.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <tuple>

#include "data/postgres/notification_hub.hpp"
#include "data/postgres/slow_log.hpp"
#include "runtime/mailbox.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

/// A database that was away for longer is not waited for: requests are refused at once until it is back.
constexpr auto hope = 1s;
constexpr auto shortest_pause = 25ms;
constexpr auto longest_pause = 500ms;

}  // namespace

pool::pool(event_loop& loop, std::shared_ptr<shared_state> shared)
    : loop_(loop),
      shared_(std::move(shared)),
      queue_timer_(loop.context()),
      retry_timer_(loop.context()),
      tick_timer_(loop.context()),
      backoff_(shortest_pause, longest_pause) {}

pool::~pool() {
  closed_ = leaving_ = true;
  // Whoever still holds one must not find it on a loop that is gone.
  for (const auto& one : std::exchange(connections_, {})) one->break_off("its event loop ended");
}

void pool::end() {
  const auto self = shared_from_this();
  closed_ = leaving_ = true;  // the loop may be gone before this is
  for (const auto& one : std::exchange(connections_, {})) one->break_off("its event loop ended");
  for (auto& one : std::exchange(waiting_, {})) refuse(one, busy_error("its event loop ended"));
  if (const auto hub = std::exchange(hub_, nullptr)) hub->end();
  // Nobody can be told any more. What is destroyed here may look for itself in these.
  std::exchange(done_, {}).clear();
  std::exchange(waking_, {}).clear();
}

void pool::close() {
  closed_ = true;
  if (unexplained_) write_slow(how().log, *std::exchange(unexplained_, nullptr), {});
  if (hub_) hub_->close();
  for (auto& one : std::exchange(waiting_, {})) refuse(one, busy_error("the database was stopped"));
  retry_timer_.cancel();
  queue_timer_.cancel();
  const auto all = connections_;
  for (const auto& one : all)
    if (one->idle() && !one->exclusive) one->break_off("the database was stopped");
  wake_soon();
  leave_soon();
}

/// Whether nobody waits here, uses a connection, or has yet to be told how one ended.
bool pool::is_deserted() const {
  return closed_ && lent_ == 0 && connections_.empty() && waiting_.empty() && done_.empty() && !waking_now_;
}

/// Looked at again whenever something ends that may have been the last.
void pool::leave_soon() {
  if (leaving_ || !is_deserted()) return;
  leaving_ = true;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->leaving_ = false;
    if (self->is_deserted()) self->shared_->forget_pool_on(self->loop_);
  });
}

std::shared_ptr<notification_hub> pool::notifications() {
  if (!hub_) {
    hub_ = std::make_shared<notification_hub>(loop_, shared_);
    if (closed_) hub_->close();
  }
  return hub_;
}

void pool::pump_soon() {
  asio::post(loop_.context(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->graveyard_.clear();
    self->pump();
    self->wake_done();
  });
}

void pool::start(call_ptr what) {
  bury_dead();
  if (waiting_.empty() && !closed_) {
    if (auto* where = choose(false)) return where->submit(std::move(what));
  }
  // Where a statement waits, so does the next one; a transaction that waits lets statements by.
  const bool hopeless = !waiting_.empty() && waiting_.back().call;
  enqueue({std::move(what), nullptr});
  if (!hopeless) pump();
}

/// Those of one gathering come together.
steady::time_point pool::time_of(const claim& one) const {
  const auto* const last = waiting_.empty() ? nullptr : waiting_.back().call.get();
  if (one.call && one.call->together && last && last->together == one.call->together) return last->queued_at;
  return steady::now();
}

void pool::enqueue(claim one, bool in_front) {
  if (!in_front) {
    (one.call ? one.call->queued_at : one.checkout->queued_at) = time_of(one);
    if (auto why = reason_to_refuse()) {
      refuse(one, std::move(*why));
      return wake_soon();
    }
  }
  if (one.call) one.call->queued = true;
  if (in_front)
    waiting_.push_front(std::move(one));
  else
    waiting_.push_back(std::move(one));
  grow();
  arm_queue_timer();
}

bool pool::is_down() const {
  return connections_.empty() && backoff_.failures() > 0 && down_since_ != steady::time_point{} &&
         steady::now() - down_since_ > hope;
}

std::optional<error> pool::reason_to_refuse() {
  if (closed_) return busy_error("the database was stopped");
  if (waiting_.size() >= shared_->how.most_waiting)
    return busy_error(std::to_string(waiting_.size()) + " statements of this thread wait already");
  if (!is_down()) return {};
  grow();
  return connection_error(last_failure_);
}

void pool::refuse(claim& one, error why) {
  if (one.call) {
    one.call->queued = false;
    one.call->fail(std::move(why));
    on_done(std::move(one.call));
  } else {
    one.checkout->refused = std::move(why);
    if (one.checkout->waiter) wake(std::move(one.checkout->waiter));
  }
}

void pool::unset(asio::steady_timer& timer) {
  timer.expires_at(steady::time_point::max());
}

void pool::arm_queue_timer() {
  if (waiting_.empty()) return;
  const auto due = waiting_.front().queued_at() + shared_->how.checkout_timeout;
  if (queue_timer_.expiry() == due) return;
  queue_timer_.expires_at(due);
  queue_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->expire();
  });
}

void pool::expire() {
  unset(queue_timer_);
  const auto patience = shared_->how.checkout_timeout;
  const auto now = steady::now();
  while (!waiting_.empty() && waiting_.front().queued_at() + patience <= now) {
    auto late = std::move(waiting_.front());
    waiting_.pop_front();
    auto why = "no connection became free within " + std::to_string(patience.count()) + " ms";
    if (connections_.empty() && !last_failure_.empty())
      refuse(late, connection_error(why + "; " + last_failure_));
    else
      refuse(late, busy_error(why));
  }
  if (waiting_.empty() && loop_.is_guest()) unset(retry_timer_);
  arm_queue_timer();
  wake_done();
}

/// Nobody watches idle connections on a loop that is not ours: one may have been closed long ago, and what
/// is sent there would have an unknown outcome.
void pool::bury_dead() {
  if (!loop_.is_guest()) return;
  const auto all = connections_;
  for (const auto& one : all)
    if (one->idle() && !one->exclusive && !one->still_there())
      one->break_off("it was closed while nobody used it");
}

connection* pool::choose(bool alone) {
  using rank = std::tuple<bool, bool, std::size_t>;  // the lower, the better
  connection* best = nullptr;
  rank best_rank;
  const auto now = loop_.now();
  for (const auto& one : connections_) {
    if (one->exclusive || one->kept || one->retiring || one->broken()) continue;
    const auto load = one->load();
    if (!alone && load >= shared_->how.pipeline) continue;
    const rank mine(one->is_slow(now), alone && !one->suits_transaction(), load);
    if (best && mine >= best_rank) continue;
    best = one.get();
    best_rank = mine;
  }
  if (!best || std::get<2>(best_rank) > 0) grow();
  if (best && std::get<0>(best_rank)) return nullptr;
  return best;
}

void pool::grant(const checkout_ptr& to, connection& what) {
  what.reserve();
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&](const std::shared_ptr<connection>& one) { return one.get() == &what; });
  to->granted = *it;
  ++lent_;
  if (to->waiter) wake(std::move(to->waiter));
}

void pool::pump() {
  for (const auto& one : connections_) one->kept = false;
  for (std::size_t at = 0; at < waiting_.size();) {
    auto& next = waiting_[at];
    if (next.checkout && !next.checkout->waiter) {  // has left
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
      continue;
    }
    auto* where = choose(next.checkout != nullptr);
    if (!where) break;
    if (next.checkout && !where->suits_transaction()) {
      where->kept = true;  // until what it runs has ended; statements pass it by
      ++at;
      continue;
    }
    auto taken = std::move(next);
    if (at == 0)
      waiting_.pop_front();
    else
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    if (taken.checkout) {
      grant(taken.checkout, *where);
    } else {
      taken.call->queued = false;
      where->submit(std::move(taken.call));
    }
  }
  if (waiting_.empty())
    unset(queue_timer_);
  else
    arm_queue_timer();
}

void pool::abandon(call& what) {
  what.abandoned = true;
  if (what.queued) {
    std::erase_if(waiting_, [&](const claim& one) { return one.call.get() == &what; });
    if (waiting_.empty() && loop_.is_guest()) {
      unset(queue_timer_);
      unset(retry_timer_);
    }
    return;
  }
  const auto all = connections_;
  for (const auto& one : all) one->abandon(what);
}

void pool::give_back(const std::shared_ptr<connection>& used, bool rollback) {
  --lent_;
  if (used->broken()) return leave_soon();
  if (rollback) used->control("ROLLBACK");
  used->releasing = true;
  if (used->idle()) on_progress(*used);
}

// What connections tell.

void pool::on_done(call_ptr ended) {
  if (ended->when_done) return std::exchange(ended->when_done, nullptr)(*ended);
  if (ended->together) {
    const auto all = std::move(ended->together);
    if (--all->left == 0 && all->waiter) wake(std::move(all->waiter));
  } else if (ended->waiter) {
    wake(std::move(ended->waiter));
  }
}

void pool::on_returned(call_ptr what) {
  // In front, as it was there before, and no later than what waits behind it: those are looked at in order.
  if (what->queued_at == steady::time_point{}) what->queued_at = steady::now();
  if (!waiting_.empty()) what->queued_at = std::min(what->queued_at, waiting_.front().queued_at());
  claim again{std::move(what), nullptr};
  if (closed_)
    refuse(again, busy_error("the database was stopped"));
  else
    enqueue(std::move(again), true);
}

void pool::wake(std::unique_ptr<corbel::detail::suspended> who) {
  done_.push_back(std::move(who));
  wake_soon();
}

void pool::wake_soon() {
  if (wake_posted_ || done_.empty()) return;
  wake_posted_ = true;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->wake_posted_ = false;
      self->wake_done();
    }
  });
}

void pool::wake_done() {
  if (waking_now_) return;  // the outer one goes on with what has come
  const auto self = shared_from_this();
  waking_now_ = true;
  while (!done_.empty()) {
    waking_.swap(done_);
    for (auto& one : waking_) one.release()->resume_here({});
    waking_.clear();
  }
  waking_now_ = false;
  leave_soon();
}

void pool::on_progress(connection& where) {
  const auto self = shared_from_this();
  if (where.releasing && where.idle()) {
    if (where.transaction_state() != 'I') return where.break_off("a transaction could not be ended");
    if (where.cancelling()) {
      // It would hit the next user: `cancel_ended` comes back here.
    } else if (where.dirty) {
      where.reset();
    } else {
      where.releasing = false;
      where.exclusive = false;
    }
  }
  if (where.idle() && !where.exclusive && (closed_ || where.retiring))
    where.break_off(closed_ ? "the database was stopped" : "it was used for as long as max_lifetime allows");
  pump();
  explain_on(where);
  if (loop_.is_guest() && ticking_ &&
      std::all_of(connections_.begin(), connections_.end(), [](const auto& one) { return one->idle(); }))
    tick_timer_.cancel();
  wake_done();
}

void pool::on_broken(connection& where, std::vector<call_ptr> unsent, const std::string& why) {
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&](const std::shared_ptr<connection>& one) { return one.get() == &where; });
  if (it != connections_.end()) {
    graveyard_.push_back(std::move(*it));
    connections_.erase(it);
    if (!closed_) pump_soon();  // another one may have room for what came back
  }
  if (connections_.empty() && backoff_.failures() > 0 && down_since_ == steady::time_point{})
    down_since_ = steady::now();
  last_failure_ = why;
  for (auto at = unsent.rbegin(); at != unsent.rend(); ++at) {
    on_returned(std::move(*at));
  }
  if (!waiting_.empty()) grow();
  wake_soon();
  leave_soon();
}

void pool::on_unsent(connection&) {
  if (!ticking_) arm_tick();
  post_flush();
}

void pool::post_flush() {
  if (flush_posted_) return;
  flush_posted_ = true;
  asio::post(loop_.context(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->flush_all();
  });
}

void pool::flush_all() {
  flush_posted_ = false;
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const auto one = connections_[i];
    one->flush();
    if (one->broken()) --i;
  }
}

void pool::cancel_on_server(connection& where) {
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&](const std::shared_ptr<connection>& one) { return one.get() == &where; });
  if (it == connections_.end()) return;
  // One that is not sent is one that did not arrive: the connection is given up after a while.
  (void)shared_->cancelling->start([stop = where.stop()] { (void)stop->cancel(); },
                                   [mail = loop_.mail(), weak = std::weak_ptr<connection>(*it)] {
                                     mail->post([weak] {
                                       if (const auto told = weak.lock()) told->cancel_ended();
                                     });
                                   });
}

void pool::on_notification(connection&, std::string_view, std::string_view) {}

void pool::on_slow(const call& what, steady::duration took) {
  if (!how().log.enabled(log_level::warn)) return;
  slow_statement seen(what, took);
  if (seen.can_be_explained && !unexplained_ && may_explain(shared_->last_plan))
    unexplained_ = std::make_unique<slow_statement>(std::move(seen));
  else
    write_slow(how().log, seen, {});
}

/// Where a connection has nothing to do, nobody waits for the plan.
void pool::explain_on(connection& idle_one) {
  if (unexplained_ && !closed_ && !idle_one.broken() && idle_one.idle() && !idle_one.exclusive)
    idle_one.submit(plan_of(std::exchange(unexplained_, nullptr), how().log));
}

}  // namespace corbel::postgres
