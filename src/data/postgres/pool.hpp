#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "corbel/runtime/blocking_pool.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/runtime/loop_local.hpp"
#include "corbel/runtime/task.hpp"
#include "data/postgres/cancellations.hpp"
#include "data/postgres/connection.hpp"
#include "runtime/backoff.hpp"

namespace corbel::postgres {

class pool;
class notification_hub;
class blocking_side;
struct pool_place;
struct slow_statement;

/// What the pools of one database share. Thread-safe.
struct shared_state {
  explicit shared_state(options o);

  /// The pool of this loop, made at first use; a closed one when the database was stopped. From the loop's
  /// thread.
  static std::shared_ptr<pool> pool_on(const std::shared_ptr<shared_state>& state, event_loop& loop);
  /// From the loop's thread, when nothing of its pool is in use any more.
  void forget_pool_on(event_loop& loop);
  /// Opens a connection on a thread; the loop is told of it, or what kept it from being opened, for as long
  /// as the loop is there. False when the database was stopped.
  static bool open_for(event_loop& loop, const std::shared_ptr<shared_state>& state,
                       std::function<void(std::unique_ptr<link>, const std::string&)> told);
  void close();
  /// For libraries that block; made at first use. Throws `failure` (unavailable) when the database was
  /// stopped.
  std::shared_ptr<blocking_side> blocking();

  const options how;
  std::atomic<bool> closed{false};
  blocking_pool openers;
  const std::shared_ptr<cancellations> cancelling = std::make_shared<cancellations>();
  /// When a plan was last asked for, on whichever loop.
  std::atomic<steady::rep> last_plan{0};

 private:
  std::mutex mutex_;
  std::shared_ptr<blocking_side> blocking_;
  loop_local<pool_place> pools_;
};

/// Who waits for a connection of its own.
struct checkout : boost::intrusive_ref_counter<checkout, boost::thread_unsafe_counter> {
  std::unique_ptr<corbel::detail::suspended> waiter;
  std::shared_ptr<connection> granted;
  std::optional<error> refused;
  steady::time_point queued_at{};
};
using checkout_ptr = boost::intrusive_ptr<checkout>;

/// The connections of one loop and what waits for them. Belongs to the loop.
class pool final : public connection_owner, public std::enable_shared_from_this<pool> {
 public:
  pool(event_loop& loop, std::shared_ptr<shared_state> shared);
  ~pool();

  /// Ends when the call has: its result, or its error, is in it. Cancelling stops the statement.
  task<> run(call_ptr what);
  /// The same for several. `calls` stays where it is until this has ended.
  task<> run(boost::intrusive_ptr<gathering> all, const std::vector<call_ptr>& calls);
  /// The same on a connection of the caller's own. `shielded`: cancelling does not end the wait.
  task<> run_on(std::shared_ptr<connection> where, call_ptr what, bool shielded = false);
  task<> run_on(std::shared_ptr<connection> where, boost::intrusive_ptr<gathering> all,
                const std::vector<call_ptr>& calls);

  /// A connection for one user alone. Throws `failure` (unavailable).
  task<std::shared_ptr<connection>> take();
  /// Gives it back: rolled back when `rollback`, and cleaned when it needs to be.
  void give_back(const std::shared_ptr<connection>& used, bool rollback);

  /// Refuses what waits and what comes; lets end what runs. Its loop forgets it then.
  void close();
  /// The loop goes away: so do its connections, and the coroutines that wait here.
  void end();
  event_loop& loop() noexcept { return loop_; }
  const options& how() const noexcept { return shared_->how; }
  void post_flush();
  /// Who listens on this loop; made at first use.
  std::shared_ptr<notification_hub> notifications();
  /// How many of its connections have ended so far.
  std::size_t breaks() const noexcept { return opened_ - connections_.size(); }

  /// A connection that was silent for so long is asked for a sign of life. Tests do not wait for it.
  steady::duration ping_after = std::chrono::seconds(15);

 private:
  struct claim {
    call_ptr call;
    checkout_ptr checkout;
    steady::time_point queued_at() const { return call ? call->queued_at : checkout->queued_at; }
  };

  void on_done(call_ptr ended) override;
  void on_returned(call_ptr what) override;
  void on_progress(connection& where) override;
  void on_broken(connection& where, std::vector<call_ptr> unsent, const std::string& why) override;
  void on_unsent(connection& where) override;
  void cancel_on_server(connection& where) override;
  void on_notification(connection& where, std::string_view channel, std::string_view payload) override;
  void on_slow(const call& what, steady::duration took) override;

  void explain_on(connection& idle_one);
  void start(call_ptr what);
  void abandon(call& what);
  void enqueue(claim one, bool in_front = false);
  void refuse(claim& one, error why);
  std::optional<error> reason_to_refuse();
  steady::time_point time_of(const claim& one) const;
  connection* choose(bool alone);
  void bury_dead();
  void grant(const checkout_ptr& to, connection& what);
  void pump();
  void pump_soon();
  void expire();
  void arm_queue_timer();
  /// One that has fired, or was cancelled alone, still tells the time it was set to, and passes for set.
  static void unset(boost::asio::steady_timer& timer);
  void grow();
  void opened(std::unique_ptr<link> made, const std::string& why);
  void not_opened(const std::string& why);
  void retry_later();
  void flush_all();
  void wake_done();
  void wake_soon();
  void wake(std::unique_ptr<corbel::detail::suspended> who);
  void tick();
  void arm_tick();
  bool is_down() const;
  void leave_soon();
  bool is_deserted() const;

  event_loop& loop_;
  const std::shared_ptr<shared_state> shared_;
  std::shared_ptr<notification_hub> hub_;
  std::unique_ptr<slow_statement> unexplained_;
  std::vector<std::shared_ptr<connection>> connections_;
  std::vector<std::shared_ptr<connection>> graveyard_;  // until the call that buried them has returned
  std::deque<claim> waiting_;
  std::vector<std::unique_ptr<corbel::detail::suspended>> done_;
  std::vector<std::unique_ptr<corbel::detail::suspended>> waking_;

  boost::asio::steady_timer queue_timer_;
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer tick_timer_;
  bool flush_posted_ = false;
  bool wake_posted_ = false;
  bool waking_now_ = false;
  bool ticking_ = false;
  bool closed_ = false;
  bool leaving_ = false;

  std::size_t lent_ = 0;  // to one user alone
  std::size_t opening_ = 0;
  std::size_t opened_ = 0;  // in all
  corbel::detail::backoff backoff_;
  steady::time_point next_attempt_{};
  steady::time_point down_since_{};
  std::string last_failure_;
};

}  // namespace corbel::postgres
