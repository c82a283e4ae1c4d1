#include "data/sqlite/connection_pool.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>

namespace corbel::sqlite {

namespace asio = boost::asio;

/// A coroutine that sleeps until a connection is put here, or until its deadline.
struct connection_pool::waiter {
  waiter(const asio::any_io_executor& loop, std::chrono::milliseconds patience) : timer(loop, patience) {}
  /// From any thread, under the pool's mutex: the waiting frame cannot go away meanwhile.
  static void wake(const std::shared_ptr<waiter>& sleeper) {
    // A time in the past also ends a wait that has not begun yet.
    asio::post(sleeper->timer.get_executor(),
               [sleeper] { sleeper->timer.expires_at(asio::steady_timer::time_point::min()); });
  }
  asio::steady_timer timer;
  std::unique_ptr<connection> granted;
};

/// Takes a waiter out of its queue however its coroutine ends, and passes on a connection it did not use.
struct connection_pool::leaving {
  connection_pool& pool;
  role as;
  std::shared_ptr<waiter> who;

  std::unique_ptr<connection> take() {
    const std::lock_guard lock(pool.mutex_);
    auto& queue = pool.lane_of(as).waiting;
    queue.erase(std::remove(queue.begin(), queue.end(), who), queue.end());
    return std::move(who->granted);
  }
  ~leaving() {
    if (auto unused = take()) pool.give_back(as, std::move(unused));
  }
};

connection_pool::connection_pool(const options& how, blocking_pool& cleaners)
    : most_waiting_(how.most_waiting),
      checkout_timeout_(how.checkout_timeout),
      shared_(how.in_memory),
      cleaners_(cleaners) {
  lane_of(role::writer).idle.push_back(std::make_unique<connection>(how, role::writer));
  for (std::size_t i = 0; !shared_ && i < how.readers; ++i)
    lane_of(role::reader).idle.push_back(std::make_unique<connection>(how, role::reader));
}

namespace {

[[noreturn]] void refuse(std::string cause) {
  throw failure(unavailable("The database is busy. Try again shortly.", "database_busy")
                    .retry_after(std::chrono::seconds(1))
                    .because(std::move(cause)));
}

/// Nothing is known of who holds the connection; that it is the caller himself is the usual mistake.
std::string why_none_is_free(std::chrono::milliseconds patience, bool for_all, role as) {
  auto text = "no connection became free within " + std::to_string(patience.count()) + " ms";
  if (for_all)
    text += "; a database in memory has one, and a transaction kept it";
  else if (as == role::writer)
    text += "; SQLite has one that writes, and a transaction kept it";
  else
    return text + "; all that read were taken: more of them are readers=... in the database URL";
  return text +
         ". Inside of a transaction use the tx that it is given: what runs on the database itself waits for "
         "that very transaction";
}

}  // namespace

task<std::shared_ptr<lease>> connection_pool::checkout(std::shared_ptr<connection_pool> from, role as) {
  const auto loop = co_await asio::this_coro::executor;
  auto& pool = *from;
  std::unique_ptr<connection> taken;
  std::shared_ptr<waiter> me;
  {
    const std::lock_guard lock(pool.mutex_);
    if (pool.closed_) refuse("the database was stopped");
    auto& its = pool.lane_of(as);
    if (!its.idle.empty()) {
      taken = std::move(its.idle.back());
      its.idle.pop_back();
    } else {
      if (its.waiting.size() >= pool.most_waiting_)
        refuse(std::to_string(its.waiting.size()) + " statements wait for a connection already");
      me = std::make_shared<waiter>(loop, pool.checkout_timeout_);
      its.waiting.push_back(me);
    }
  }
  if (me) {
    leaving on_exit{pool, as, me};
    co_await me->timer.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    taken = on_exit.take();
  }
  if (!taken) refuse(why_none_is_free(pool.checkout_timeout_, pool.shared_, as));
  co_return std::make_shared<lease>(std::move(from), as, std::move(taken));
}

void connection_pool::give_back(role as, std::unique_ptr<connection> used) noexcept {
  if (!used->needs_reset()) return hand_on(as, std::move(used));
  {
    const std::lock_guard lock(mutex_);
    // Closing a connection rolls back as well.
    if (closed_) return;
  }
  // A rollback writes to the file: not on an event loop.
  auto carried = std::make_shared<std::unique_ptr<connection>>(std::move(used));
  cleaners_.post([this, as, carried] {
    (*carried)->reset();
    hand_on(as, std::move(*carried));
  });
}

void connection_pool::hand_on(role as, std::unique_ptr<connection> clean) noexcept {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  auto& its = lane_of(as);
  if (its.waiting.empty()) {
    its.idle.push_back(std::move(clean));
    return;
  }
  const auto next = std::move(its.waiting.front());
  its.waiting.pop_front();
  next->granted = std::move(clean);
  waiter::wake(next);
}

void connection_pool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (auto& one : lanes_) {
    one.idle.clear();
    for (const auto& sleeper : one.waiting) waiter::wake(sleeper);
    one.waiting.clear();
  }
}

lease::~lease() {
  if (taken_) home_->give_back(as_, std::move(taken_));
}

}  // namespace corbel::sqlite
