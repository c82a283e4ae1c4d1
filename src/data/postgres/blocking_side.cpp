#include "data/postgres/blocking_side.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "data/postgres/errors.hpp"
#include "data/postgres/link.hpp"
#include "data/postgres/thread_wait.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Nothing came on it since it was used: else it is closed, or about to be.
bool is_silent(detail::blocking_session& one) noexcept {
  char byte = 0;
  const auto got = ::recv(one.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/// A server that has not stopped a statement by then is taken for lost.
constexpr auto cancel_wait = std::chrono::seconds(2);
using session_ptr = std::shared_ptr<detail::blocking_session>;

void shut(const session_ptr& one) {
  ::shutdown(one->descriptor(), SHUT_RDWR);
}

/// Stops what it runs on the server, and then lets whoever works with it fail: at once when the server was
/// told, and after a while when it was not.
void stop_session(const session_ptr& one, cancellations& by) {
  if (!by.start([one] { one->cancel(); }, [one] { shut(one); }, cancel_wait)) shut(one);
}

}  // namespace

/// Who waits for a seat. Under the mutex of its side.
struct blocking_side::waiter {
  explicit waiter(std::shared_ptr<thread_wait> w) : wait(std::move(w)) {}

  const std::shared_ptr<thread_wait> wait;
  bool granted = false;
  std::optional<error> refused;

  void refuse(error why) {
    refused = std::move(why);
    wait->tell();
  }
  void grant() {
    granted = true;
    wait->tell();
  }
};

blocking_side::blocking_side(const options& how, std::shared_ptr<cancellations> cancelling)
    : how_(how),
      conninfo_(conninfo_of(how)),
      free_slots_(how.threads),
      workers_(how.threads, 65'536),
      cancelling_(std::move(cancelling)) {}

blocking_side::~blocking_side() {
  stop();
}

void blocking_side::stop() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& one : std::exchange(waiting_, {})) one->refuse(busy_error("the database was stopped"));
  }
  workers_.stop();
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

blocking_side::lease::~lease() {
  if (home_ && seat_) home_->leave(seat_);
}

task<blocking_side::lease> blocking_side::take(std::shared_ptr<blocking_side> from, const void* kind) {
  auto seat = std::make_shared<blocking_seat>();
  seat->kind = kind;
  const auto executor = co_await asio::this_coro::executor;
  const auto mine = std::make_shared<waiter>(std::make_shared<thread_wait>(loop_of(executor), from->rooms_));
  // However this ends, a slot that was granted and not taken goes back.
  struct leaving {
    std::shared_ptr<blocking_side> home;
    std::shared_ptr<waiter> who;
    ~leaving() {
      {
        const std::lock_guard lock(home->mutex_);
        std::erase(home->waiting_, who);
        if (!std::exchange(who->granted, false)) return;
      }
      home->release_slot();
    }
  } at_end{from, mine};

  asio::steady_timer patience(executor, from->how_.checkout_timeout);
  patience.async_wait([from, mine](error_code cancelled) {
    if (cancelled) return;
    const std::lock_guard lock(from->mutex_);
    if (mine->granted || mine->refused) return;
    std::erase(from->waiting_, mine);
    mine->refuse(busy_error("all " + std::to_string(from->how_.threads) +
                            " threads of with_connection and COPY stayed busy for " +
                            std::to_string(from->how_.checkout_timeout.count()) +
                            " ms: raise threads, or ask for less at once"));
  });
  std::function<void()> begin = [from, mine] { from->queue_up(mine); };
  co_await thread_wait::until_told(mine->wait, std::move(begin));
  {
    const std::lock_guard lock(from->mutex_);
    if (mine->refused) throw failure(*mine->refused);
    mine->granted = false;
    from->seat_down(*seat, kind);
  }
  lease taken(from, std::move(seat));
  co_return taken;
}

void blocking_side::queue_up(const std::shared_ptr<waiter>& who) {
  const std::lock_guard lock(mutex_);
  if (closed_) return who->refuse(busy_error("the database was stopped"));
  if (free_slots_ > 0) {
    --free_slots_;
    return who->grant();
  }
  if (waiting_.size() >= how_.most_waiting)
    return who->refuse(busy_error(std::to_string(waiting_.size()) + " wait for a thread already"));
  waiting_.push_back(who);
}

/// Finds an idle session of this kind, or room for another one.
void blocking_side::seat_down(blocking_seat& seat, const void* kind) {
  const auto lifetime = how_.max_lifetime;
  const auto now = steady::now();
  while (!seat.session) {
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const idle_session& one) { return one.kind == kind; });
    if (found == idle_.rend()) break;
    auto taken = std::move(*found);
    idle_.erase(std::next(found).base());
    const bool old = lifetime.count() > 0 && now - taken.opened_at > lifetime;
    if (old || !is_silent(*taken.session)) continue;
    seat.session = std::move(taken.session);
    seat.opened_at = taken.opened_at;
  }
  const auto in_use = how_.threads - free_slots_;
  if (!seat.session && idle_.size() + in_use > how_.threads) {
    seat.in_its_place = std::move(idle_.front().session);
    idle_.pop_front();
  }
}

void blocking_side::release_slot() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_slots_;
    return;
  }
  const auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->grant();
}

task<void> blocking_side::run(std::shared_ptr<blocking_side> on, seat_ptr seat, detail::session_maker how,
                              std::shared_ptr<detail::blocking_work> work) {
  struct stopping {
    std::shared_ptr<blocking_side> home;
    seat_ptr seat;
    bool ended = false;
    ~stopping() {
      if (!ended) home->stop_soon(seat);
    }
  } unless_ended{on, seat};
  // Its user may be gone, with the loop, when it is done.
  struct outcome {
    std::exception_ptr thrown;
    bool refused = false;
  };
  const auto came_to = std::make_shared<outcome>();
  const auto executor = co_await asio::this_coro::executor;
  const auto mine = std::make_shared<thread_wait>(loop_of(executor), on->rooms_);
  auto job = [home = on.get(), seat, how, work, mine, came_to] {
    try {
      home->work_on(seat, how, *work);
    } catch (...) {
      came_to->thrown = std::current_exception();
    }
    mine->tell();
  };
  std::function<void()> begin = [on, mine, came_to, job = std::move(job)] {
    if (on->workers_.post(job)) return;
    came_to->refused = true;
    mine->tell();
  };
  co_await thread_wait::until_told(mine, std::move(begin));
  unless_ended.ended = true;
  if (came_to->refused) throw failure(busy_error("the database was stopped"));
  // Taken out: the thread may be the last to let go of it, and must not end the exception's life there.
  if (came_to->thrown) std::rethrow_exception(std::exchange(came_to->thrown, nullptr));
}

void blocking_side::work_on(const seat_ptr& seat, detail::session_maker how, detail::blocking_work& work) {
  {
    const std::lock_guard lock(seat->mutex);
    if (seat->left || seat->stopped) return;
    seat->working = true;
    seat->in_its_place.reset();
  }
  struct resting {
    blocking_side& home;
    const seat_ptr& seat;
    ~resting() {
      bool left = false;
      {
        const std::lock_guard lock(seat->mutex);
        seat->working = false;
        left = seat->left;
      }
      if (left) home.put_back(seat);
    }
  } const at_end{*this, seat};
  if (!seat->session) {
    auto made = how.open(conninfo_);
    const std::lock_guard lock(seat->mutex);
    if (seat->stopped) return;
    seat->session = std::move(made);
    seat->opened_at = steady::now();
  }
  work.run(*seat->session);
}

/// From the user's side, without waiting.
void blocking_side::leave(const seat_ptr& seat) {
  {
    const std::lock_guard lock(seat->mutex);
    seat->left = true;
    if (seat->working) return;  // the thread will see to it
  }
  if (!workers_.post([self = shared_from_this(), seat] { self->put_back(seat); })) put_back(seat);
}

void blocking_side::put_back(const seat_ptr& seat) {
  bool clean = false;
  session_ptr dropped;
  {
    const std::lock_guard lock(seat->mutex);
    clean = seat->session && !seat->stopped;
    if (clean) dropped = seat->session;
  }
  try {
    clean = clean && seat->session->reset();
  } catch (const std::exception&) {
    clean = false;
  }
  {
    const std::lock_guard lock(seat->mutex);
    clean = clean && !seat->stopped;
    if (!clean) seat->session.reset();
    seat->in_its_place.reset();
  }
  // It may have been left in the middle of a statement.
  if (!clean && dropped) stop_session(dropped, *cancelling_);
  if (clean) {
    const std::lock_guard lock(mutex_);
    if (!closed_) idle_.push_back({seat->kind, std::move(seat->session), seat->opened_at});
  }
  release_slot();
}

/// Stops the SQL that runs, and lets the work fail wherever it goes on: its socket is shut.
void blocking_side::stop_soon(const seat_ptr& seat) {
  session_ptr session;
  {
    const std::lock_guard lock(seat->mutex);
    seat->stopped = true;
    if (!seat->session || !seat->working) return;
    session = seat->session;
  }
  // First nothing more can be sent: else the work would be at its next statement before the socket is shut.
  ::shutdown(session->descriptor(), SHUT_WR);
  stop_session(session, *cancelling_);
}

}  // namespace corbel::postgres
