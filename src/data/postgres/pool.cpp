#include "data/postgres/pool.hpp"

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <system_error>
#include <thread>
#include <tuple>

namespace corbel::postgres {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto shortest_backoff = 25ms;
constexpr auto longest_backoff = 500ms;
/// A database that was away for longer is not waited for: requests are refused at once until it is back.
constexpr auto hope = 1s;
constexpr auto busy_tick = 100ms;
constexpr auto idle_tick = 1s;
/// A server that answers no cancellation shall not cost a thread for each.
constexpr int most_cancelling = 64;
/// A connection that was silent for so long is asked for a sign of life.
constexpr auto ping_after = 15s;

std::minstd_rand& random_here() {
  thread_local std::minstd_rand random{std::random_device()()};
  return random;
}

/// From half of it to all of it: those that failed together shall not come back together.
steady::duration jittered(steady::duration most) {
  std::uniform_int_distribution<steady::rep> any(most.count() / 2, most.count());
  return steady::duration(any(random_here()));
}

bool ends_waits(asio::cancellation_type type) {
  return (type & (asio::cancellation_type::terminal | asio::cancellation_type::partial)) !=
         asio::cancellation_type::none;
}

template <class Handler>
std::unique_ptr<corbel::detail::suspended> suspend(Handler handler) {
  return std::make_unique<corbel::detail::suspended_handler<Handler>>(std::move(handler));
}

}  // namespace

void mailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (loop_) loop_->post(std::move(work));
}

void mailbox::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

shared_state::shared_state(options o)
    : how(std::move(o)), openers(how.threads, 4096), cancelling(std::make_shared<std::atomic<int>>(0)) {}

namespace {

/// What the loop keeps: those who wait hold the pool, and the pool holds them, so that letting go of it would
/// end neither.
struct tenant {
  explicit tenant(std::shared_ptr<pool> p) : home(std::move(p)) {}
  ~tenant() { home->end(); }
  tenant(const tenant&) = delete;
  tenant& operator=(const tenant&) = delete;
  const std::shared_ptr<pool> home;
};

}  // namespace

std::shared_ptr<pool> shared_state::pool_on(const std::shared_ptr<shared_state>& state, event_loop& loop) {
  auto& here = loop.local(state.get());
  if (!here) {
    auto made = std::make_shared<pool>(loop, state);
    const std::lock_guard lock(state->mutex_);
    std::erase_if(state->pools_, [](const std::weak_ptr<pool>& one) { return one.expired(); });
    state->pools_.push_back(made);
    here = std::make_shared<tenant>(std::move(made));
  }
  return std::static_pointer_cast<tenant>(here)->home;
}

void shared_state::close() {
  if (closed.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : pools_)
      if (const auto open = one.lock()) open->close_soon();
  }
  openers.stop();
}

pool::pool(event_loop& loop, std::shared_ptr<shared_state> shared)
    : loop_(loop),
      shared_(std::move(shared)),
      mail_(std::make_shared<mailbox>(loop)),
      queue_timer_(loop.context()),
      retry_timer_(loop.context()),
      tick_timer_(loop.context()) {}

pool::~pool() {
  mail_->close();
  closed_ = true;
  // Whoever still holds one must not find it on a loop that is gone.
  for (const auto& one : std::exchange(connections_, {})) one->break_off("its event loop ended");
}

void pool::end() {
  const auto self = shared_from_this();
  mail_->close();
  closed_ = true;
  for (const auto& one : std::exchange(connections_, {})) one->break_off("its event loop ended");
  for (auto& one : std::exchange(waiting_, {})) refuse(one, busy_error("its event loop ended"));
  // Nobody can be told any more. What is destroyed here may look for itself in these.
  std::exchange(done_, {}).clear();
  std::exchange(waking_, {}).clear();
}

void pool::close_soon() {
  mail_->post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->close();
  });
}

void pool::close() {
  closed_ = true;
  for (auto& one : std::exchange(waiting_, {})) refuse(one, busy_error("the database was stopped"));
  retry_timer_.cancel();
  queue_timer_.cancel();
  const auto all = connections_;
  for (const auto& one : all)
    if (one->idle() && !one->exclusive) one->break_off("the database was stopped");
  wake_soon();
}

// Waiting for statements.

task<> pool::run(call_ptr what) {
  auto initiate = [](auto handler, pool* self, call_ptr c) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    c->waiter = suspend(std::move(handler));
    if (slot.is_connected())
      slot.assign([weak = self->weak_from_this(), c](asio::cancellation_type type) {
        if (!ends_waits(type) || !c->waiter) return;
        auto waiter = std::move(c->waiter);
        if (const auto still = weak.lock()) still->abandon(*c);
        waiter.release()->resume(asio::error::operation_aborted);
      });
    self->start(std::move(c));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(initiate, asio::use_awaitable,
                                                                               this, std::move(what));
}

namespace {

/// For many calls at once: `submit` starts each.
template <class Submit>
task<> gather(std::weak_ptr<pool> home, boost::intrusive_ptr<gathering> all, std::vector<call_ptr> calls,
              void (*abandon)(pool&, call&), Submit submit) {
  auto initiate = [](auto handler, std::weak_ptr<pool> weak, boost::intrusive_ptr<gathering> together,
                     std::vector<call_ptr> each, void (*drop)(pool&, call&), Submit start) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    together->left = each.size();
    together->waiter = suspend(std::move(handler));
    if (slot.is_connected())
      slot.assign([weak, together, each, drop](asio::cancellation_type type) {
        if (!ends_waits(type) || !together->waiter) return;
        auto waiter = std::move(together->waiter);
        if (const auto still = weak.lock())
          for (const auto& one : each)
            if (!one->done()) drop(*still, *one);
        waiter.release()->resume(asio::error::operation_aborted);
      });
    for (auto& one : each) {
      one->together = together;
      start(one);
    }
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, std::move(home), std::move(all), std::move(calls), abandon, submit);
}

}  // namespace

task<> pool::run(boost::intrusive_ptr<gathering> all, std::vector<call_ptr> calls) {
  return gather(
      weak_from_this(), std::move(all), std::move(calls), [](pool& home, call& one) { home.abandon(one); },
      [this](const call_ptr& one) { start(one); });
}

task<> pool::run_on(std::shared_ptr<connection> where, boost::intrusive_ptr<gathering> all,
                    std::vector<call_ptr> calls) {
  return gather(
      weak_from_this(), std::move(all), std::move(calls), [](pool& home, call& one) { home.abandon(one); },
      [where = std::move(where), this](const call_ptr& one) {
        if (!where->broken()) return where->submit(one);
        one->failed = connection_error("the transaction's connection broke");
        on_done(one);
      });
}

task<> pool::run_on(std::shared_ptr<connection> where, call_ptr what, bool shielded) {
  auto initiate = [](auto handler, pool* self, std::shared_ptr<connection> on, call_ptr c, bool keep) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    c->waiter = suspend(std::move(handler));
    if (slot.is_connected() && !keep)
      slot.assign([on, c](asio::cancellation_type type) {
        if (!ends_waits(type) || !c->waiter) return;
        auto waiter = std::move(c->waiter);
        if (!on->broken()) on->abandon(*c);
        waiter.release()->resume(asio::error::operation_aborted);
      });
    if (!on->broken()) return on->submit(std::move(c));
    c->failed = connection_error("the transaction's connection broke");
    self->on_done(std::move(c));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, this, std::move(where), std::move(what), shielded);
}

task<std::shared_ptr<connection>> pool::take() {
  const checkout_ptr mine(new checkout);
  const auto self = shared_from_this();
  // However this ends, a connection that was granted and not taken goes back.
  struct leaving {
    std::shared_ptr<pool> home;
    checkout_ptr who;
    ~leaving() {
      auto& queue = home->waiting_;
      std::erase_if(queue, [&](const claim& one) { return one.checkout == who; });
      if (who->granted) home->give_back(std::exchange(who->granted, nullptr), false);
    }
  } const at_end{self, mine};

  auto initiate = [](auto handler, pool* home, checkout_ptr who) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    who->waiter = suspend(std::move(handler));
    if (slot.is_connected())
      slot.assign([who](asio::cancellation_type type) {
        if (!ends_waits(type) || !who->waiter) return;
        who->waiter.release()->resume(asio::error::operation_aborted);
      });
    home->bury_dead();
    home->enqueue({nullptr, std::move(who)});
    home->pump();
    home->wake_soon();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code)>(
      initiate, asio::use_awaitable, this, mine);
  if (mine->refused) throw failure(std::move(*mine->refused));
  co_return std::exchange(mine->granted, nullptr);
}

// The queue.

void pool::start(call_ptr what) {
  bury_dead();
  if (waiting_.empty() && !closed_) {
    if (auto* where = choose(false)) return where->submit(std::move(what));
  }
  enqueue({std::move(what), nullptr});
  pump();
}

void pool::enqueue(claim one, bool in_front) {
  if (!in_front) {
    const auto now = steady::now();
    (one.call ? one.call->queued_at : one.checkout->queued_at) = now;
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
  return connections_.empty() && failures_ > 0 && steady::now() - down_since_ > hope;
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
    one.call->failed = std::move(why);
    on_done(std::move(one.call));
  } else {
    one.checkout->refused = std::move(why);
    if (one.checkout->waiter) wake(std::move(one.checkout->waiter));
  }
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
  if (waiting_.empty() && loop_.is_guest()) retry_timer_.cancel();
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
    if (!alone && one->load() >= shared_->how.pipeline) continue;
    const rank mine(one->is_slow(now), alone && !one->suits_transaction(), one->load());
    if (best && mine >= best_rank) continue;
    best = one.get();
    best_rank = mine;
  }
  if (!best || best->load() > 0) grow();
  if (best && std::get<0>(best_rank)) return nullptr;
  return best;
}

void pool::grant(const checkout_ptr& to, connection& what) {
  what.reserve();
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&](const std::shared_ptr<connection>& one) { return one.get() == &what; });
  to->granted = *it;
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
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
    if (taken.checkout) {
      grant(taken.checkout, *where);
    } else {
      taken.call->queued = false;
      where->submit(std::move(taken.call));
    }
  }
  if (waiting_.empty())
    queue_timer_.cancel(), queue_timer_.expires_at(steady::time_point::max());
  else
    arm_queue_timer();
}

void pool::abandon(call& what) {
  what.abandoned = true;
  if (what.queued) {
    std::erase_if(waiting_, [&](const claim& one) { return one.call.get() == &what; });
    if (waiting_.empty() && loop_.is_guest()) {
      queue_timer_.cancel();
      retry_timer_.cancel();
    }
    return;
  }
  const auto all = connections_;
  for (const auto& one : all) one->abandon(what);
}

void pool::give_back(const std::shared_ptr<connection>& used, bool rollback) {
  if (used->broken()) return;
  if (rollback) used->control("ROLLBACK");
  used->releasing = true;
  if (used->idle()) on_progress(*used);
}

// What connections tell.

void pool::on_done(call_ptr ended) {
  if (ended->together) {
    const auto all = std::move(ended->together);
    if (--all->left == 0 && all->waiter) wake(std::move(all->waiter));
  } else if (ended->waiter) {
    wake(std::move(ended->waiter));
  }
}

void pool::on_returned(call_ptr what) {
  if (what->queued_at == steady::time_point{}) what->queued_at = steady::now();
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
      if (closed_) where.break_off("the database was stopped");
    }
  } else if (where.idle() && !where.exclusive && (closed_ || where.retiring)) {
    where.break_off(closed_ ? "the database was stopped" : "it was used for as long as max_lifetime allows");
  }
  pump();
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
    if (!closed_)
      asio::post(loop_.context(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->graveyard_.clear();
      });
  }
  if (connections_.empty() && failures_ == 0) down_since_ = steady::now();
  last_failure_ = why;
  for (auto at = unsent.rbegin(); at != unsent.rend(); ++at) {
    on_returned(std::move(*at));
  }
  if (!waiting_.empty()) grow();
  wake_soon();
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
  const auto count = shared_->cancelling;
  if (count->fetch_add(1) >= most_cancelling) {
    --*count;
    return;
  }
  try {
    std::thread([stop = where.stop(), mail = mail_, weak = std::weak_ptr<connection>(*it), count] {
      stop->cancel();
      --*count;
      mail->post([weak] {
        if (const auto told = weak.lock()) told->cancel_ended();
      });
    }).detach();
  } catch (const std::system_error&) {
    --*count;
  }
}

void pool::on_notification(connection&, std::string_view, std::string_view) {}

// Opening connections.

void pool::grow() {
  if (closed_ || connections_.size() + opening_ >= shared_->how.connections) return;
  if (opening_ >= std::max<std::size_t>(waiting_.size(), 1)) return;
  if (steady::now() < next_attempt_) return retry_later();
  ++opening_;
  // By mail: the loop may be gone when the server has answered.
  const bool accepted = shared_->openers.post([shared = shared_, mail = mail_, weak = weak_from_this()] {
    auto made = std::make_shared<std::unique_ptr<link>>();
    std::string why;
    try {
      *made = link::open(shared->how);
    } catch (const failure& f) {
      why = f.error().cause();
    } catch (const std::exception& e) {
      why = e.what();
    }
    mail->post([weak, made, why = std::move(why)] {
      if (const auto self = weak.lock()) self->opened(std::move(*made), why);
    });
  });
  if (!accepted) --opening_;
}

void pool::opened(std::unique_ptr<link> made, const std::string& why) {
  --opening_;
  if (closed_) return;
  if (!made) return not_opened(why);
  failures_ = 0;
  down_since_ = {};
  next_attempt_ = {};
  connections_.push_back(std::make_shared<connection>(loop_, *this, shared_->how, std::move(made)));
  const auto lifetime = shared_->how.max_lifetime;
  // Those that were opened together shall not go together.
  if (lifetime.count() > 0)
    connections_.back()->expires_at = steady::now() + lifetime * 9 / 10 + jittered(lifetime / 5);
  on_progress(*connections_.back());
  if (!ticking_) arm_tick();
}

void pool::not_opened(const std::string& why) {
  if (failures_++ == 0 && connections_.empty() && down_since_ == steady::time_point{})
    down_since_ = steady::now();
  last_failure_ = why;
  const auto backoff =
      std::min<steady::duration>(shortest_backoff * (1 << std::min(failures_ - 1, 8)), longest_backoff);
  next_attempt_ = steady::now() + jittered(backoff);
  if (is_down()) {
    for (auto& one : std::exchange(waiting_, {})) refuse(one, connection_error(last_failure_));
    queue_timer_.cancel();
  }
  retry_later();
}

void pool::retry_later() {
  if (closed_ || (waiting_.empty() && (loop_.is_guest() || failures_ == 0))) return;
  if (retry_timer_.expiry() == next_attempt_) return;
  retry_timer_.expires_at(next_attempt_);
  retry_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->grow();
  });
}

// Time.

void pool::arm_tick() {
  const bool busy = std::any_of(connections_.begin(), connections_.end(), [](const auto& one) {
    return !one->idle() || one->exclusive || one->cancelling();
  });
  ticking_ = busy || (!loop_.is_guest() && !connections_.empty());
  if (!ticking_ || closed_) {
    ticking_ = false;
    return;
  }
  tick_timer_.expires_after(busy ? busy_tick : idle_tick);
  tick_timer_.async_wait([weak = weak_from_this()](error_code) {
    if (const auto self = weak.lock()) self->tick();
  });
}

void pool::tick() {
  const auto now = steady::now();
  const auto all = connections_;
  for (const auto& one : all) {
    one->check_deadlines(now);
    if (one->broken() || loop_.is_guest()) continue;
    if (now > one->expires_at) {
      one->retiring = true;
      if (one->idle() && !one->exclusive) on_progress(*one);
    } else if (one->idle() && now - one->last_used > ping_after) {
      one->ping();
    }
  }
  ticking_ = false;
  arm_tick();
  wake_done();
}

}  // namespace corbel::postgres
