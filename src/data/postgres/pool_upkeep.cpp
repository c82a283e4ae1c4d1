// How a pool opens connections, and looks after them.
#include <algorithm>

#include "data/postgres/pool.hpp"
#include "data/postgres/slow_log.hpp"

namespace corbel::postgres {

using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto busy_tick = 100ms;
constexpr auto idle_tick = 1s;
/// How long a slow statement waits for an idle connection that gives its plan.
constexpr auto most_unexplained = 5s;

/// A transaction that does nothing is the server's to end, and any message would start its time anew.
bool may_ping(const connection& one) {
  return one.idle() && !(one.exclusive && one.transaction_state() != 'I');
}

}  // namespace

void pool::grow() {
  if (closed_ || connections_.size() + opening_ >= shared_->how.connections) return;
  if (opening_ >= std::max<std::size_t>(waiting_.size(), 1)) return;
  if (steady::now() < next_attempt_) return retry_later();
  ++opening_;
  const bool accepted = shared_state::open_for(
      loop_, shared_, [weak = weak_from_this()](std::unique_ptr<link> made, const std::string& why) {
        if (const auto self = weak.lock()) self->opened(std::move(made), why);
      });
  if (!accepted) --opening_;
}

void pool::opened(std::unique_ptr<link> made, const std::string& why) {
  --opening_;
  if (closed_) return;
  if (!made) return not_opened(why);
  backoff_.reset();
  down_since_ = {};
  next_attempt_ = {};
  ++opened_;
  connections_.push_back(std::make_shared<connection>(loop_, *this, shared_->how, std::move(made)));
  const auto lifetime = shared_->how.max_lifetime;
  // Those that were opened together shall not go together.
  if (lifetime.count() > 0)
    connections_.back()->expires_at = steady::now() + lifetime * 9 / 10 + backoff_.spread(lifetime / 5);
  on_progress(*connections_.back());
  if (!ticking_) arm_tick();
}

void pool::not_opened(const std::string& why) {
  const auto pause = backoff_.next();
  if (connections_.empty() && down_since_ == steady::time_point{}) down_since_ = steady::now();
  last_failure_ = why;
  next_attempt_ = steady::now() + pause;
  if (is_down()) {
    for (auto& one : std::exchange(waiting_, {})) refuse(one, connection_error(last_failure_));
    unset(queue_timer_);
  }
  retry_later();
}

void pool::retry_later() {
  if (closed_ || (waiting_.empty() && (loop_.is_guest() || backoff_.failures() == 0))) return;
  if (retry_timer_.expiry() == next_attempt_) return;
  retry_timer_.expires_at(next_attempt_);
  retry_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->grow();
  });
}

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
    } else if (may_ping(*one) && now - one->last_used > ping_after) {
      one->ping();
    }
  }
  if (unexplained_ && now - unexplained_->seen_at > most_unexplained)
    write_slow(how().log, *std::exchange(unexplained_, nullptr), {});
  ticking_ = false;
  arm_tick();
  wake_done();
}

}  // namespace corbel::postgres
