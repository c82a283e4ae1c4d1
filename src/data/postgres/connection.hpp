#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "corbel/runtime/event_loop.hpp"
#include "data/postgres/call.hpp"
#include "data/postgres/errors.hpp"
#include "data/postgres/link.hpp"
#include "data/postgres/plan.hpp"
#include "data/postgres/wire_reader.hpp"

namespace corbel::postgres {

class connection;

/// What a connection tells the pool it belongs to.
class connection_owner {
 public:
  /// A call ended: its result or its error is in it.
  virtual void on_done(call_ptr ended) = 0;
  /// A call that has to run again, but not here: the connection is somebody else's by now.
  virtual void on_returned(call_ptr what) = 0;
  /// There is room for more, or nothing is under way any more.
  virtual void on_progress(connection& where) = 0;
  /// The connection is of no more use. `unsent` never reached the server.
  virtual void on_broken(connection& where, std::vector<call_ptr> unsent, const std::string& why) = 0;
  /// Bytes wait to be sent: `flush` is to be called behind whatever else this wake-up brings.
  virtual void on_unsent(connection& where) = 0;
  /// Stops what the server runs on this connection; `cancel_ended` is to be called when it was told.
  virtual void cancel_on_server(connection& where) = 0;
  /// A statement took longer than `slow_query`. The call is not done yet.
  virtual void on_slow(const call&, steady::duration) {}
  virtual void on_notification(connection& where, std::string_view channel, std::string_view payload) = 0;

 protected:
  ~connection_owner() = default;
};

/// One connection that many statements share. It sends them one behind the other without waiting, each with
/// a Sync of its own, and hands every answer to its call. Belongs to one loop.
///
/// What has to wait for something is held, and all that comes behind it: a statement for its plan, one that a
/// stranger's cancellation must not hit until it is alone, everybody until a session is in order again.
class connection final : public readiness_handler {
 public:
  connection(event_loop& loop, connection_owner& owner, const options& how, std::unique_ptr<link> socket);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Sends the call, at the latest when those before it here are answered.
  void submit(call_ptr what);
  /// SQL of the library's own that nobody waits for, such as ROLLBACK. On a connection that is shared, what
  /// comes behind it waits until it is done.
  void control(std::string_view sql);
  /// Nobody waits for this call any more: stops it on the server when it runs there.
  void abandon(call& what);
  /// The wish that `cancel_on_server` sent has arrived, or has got lost.
  void cancel_ended();
  /// Asks the server for a sign of life.
  void ping();
  void flush();

  /// Statements under way.
  std::size_t load() const noexcept { return units_.size() + sharing_ + held_.size(); }
  bool idle() const noexcept { return units_.empty() && held_.empty(); }
  /// Whether a cancellation is on its way: it stops whatever the server runs when it comes.
  bool cancelling() const noexcept { return cancelling_; }
  /// Whether a transaction can begin behind what is under way here: nothing there may want to be cancelled
  /// any more, since that could hit the transaction, and its statements cannot be sent again.
  bool suits_transaction() const noexcept;
  bool broken() const noexcept { return broken_; }
  /// Whether something sent now would wait for a statement that is known to be slow, or proves to be.
  bool is_slow(steady::time_point now) const noexcept;
  /// What the server said last: 'I' idle, 'T' in a transaction, 'E' in one that failed.
  char transaction_state() const noexcept { return transaction_state_; }
  /// Looks for a server that is silent for too long.
  void check_deadlines(steady::time_point now);
  /// Whether an unwatched socket is still open and silent.
  bool still_there();

  /// Its one user now, if it has one: a transaction.
  bool exclusive = false;
  /// Gives it to one user alone.
  void reserve() noexcept {
    exclusive = true;
    skipping_ = false;
  }
  /// A transaction that waits is to have it next.
  bool kept = false;
  /// Its user has gone; it is free when the server has answered everything.
  bool releasing = false;
  /// Something may be left on the session that the next user must not meet.
  bool dirty = false;
  /// Waits for what comes unasked: on a loop that ends by itself it stays watched, too.
  bool listens = false;
  /// Too old to be given to anyone.
  bool retiring = false;
  steady::time_point opened_at;
  steady::time_point expires_at = steady::time_point::max();
  steady::time_point last_used;

  int server_version() const noexcept { return socket_->server_version(); }
  const std::shared_ptr<const canceller>& stop() const noexcept { return socket_->stop(); }

  /// Takes from the session what its user may have left there.
  void reset();

  /// Gives up: closes, and fails or hands back what is under way.
  void break_off(std::string why);

 private:
  struct statement_call {
    call_ptr call;
    plan_ptr plan;
  };
  /// What is not sent yet: a statement, a script without a plan, or a control without a call.
  struct held_work {
    call_ptr call;
    plan_ptr plan;
    std::string control;
  };
  /// What the server answers with one ReadyForQuery.
  struct unit {
    enum class kind : unsigned char { statement, commit, prepare, script, control, ping, types };
    kind what = kind::control;
    call_ptr call;
    plan_ptr plan;
    /// Reads that share its Sync. Should one of them fail, the server undoes and passes over the others: none
    /// has ended before all have, and then they run again, each for itself.
    std::vector<statement_call> sharing;
    std::size_t answered_calls = 0;
    std::size_t preludes = 0;
    std::optional<server_report> failed;
    std::optional<error> refused;  // by us
    std::string tag;               // of a control, its SQL
    std::uint64_t begins_at = 0;   // in the stream of bytes sent
    steady::time_point started{};
    bool begins = false;   // a transaction of the connection's user
    bool acts = false;     // a plan that is prepared as somebody else
    bool settles = false;  // a control that others wait for
    bool cancel_asked = false;
    bool maybe_hit = false;  // a cancellation was under way while it ran
    bool answered = false;

    std::size_t size() const noexcept { return sharing.size() + 1; }
    /// The call whose answer comes next.
    postgres::call& current() const noexcept {
      return *(answered_calls == 0 ? call : sharing[answered_calls - 1].call);
    }
    const plan_ptr& current_plan() const noexcept {
      return answered_calls == 0 ? plan : sharing[answered_calls - 1].plan;
    }
    bool holds(const postgres::call& one) const noexcept;
    bool any_abandoned() const noexcept;
    bool is_quick() const noexcept;
  };

  void on_ready(readiness what) override;
  void read_all();
  void take_all();
  void take_messages(std::string_view bytes);
  void handle(const wire_message& m);
  void handle_row(const wire_message& m);
  void finish_unit();
  void finish_statement(unit& u);
  void finish_shared(unit& u);
  void finish_commit(unit& u);
  void finish_prepare(unit& u);
  void finish_types(unit& u);
  void finish_script(unit& u);
  void end_call(call_ptr ended);
  void fail_call(call& what, error why);
  void refuse(call_ptr what, error why);
  void fail_plan(unit& u);
  void finish_control(unit& u);
  void run_again(call_ptr what);
  bool skips(call_ptr& what);
  bool may_cancel(const unit& head) const noexcept;
  bool send_again(unit& u);
  void start_head(steady::time_point now);

  bool may_send(const held_work& next) const noexcept;
  void send_or_hold(held_work next);
  void send(held_work next);
  void send_held();
  void prepare(const plan_ptr& fresh, const std::vector<prelude>& before);
  void forget(const plan_ptr& old);
  void ask_types(const plan_ptr& of);
  void send_statement(call_ptr what, const plan_ptr& with);
  void send_script(call_ptr what);
  void send_control(std::string_view sql);
  void write_prepare(const plan& fresh, const std::vector<prelude>& before);
  void write_preludes(const std::vector<prelude>& before);
  void stop_head();
  unit& push(unit::kind what);
  unit& push(unit::kind what, std::uint64_t begins_at);
  std::uint64_t position() const noexcept;  // of what is written next, in the stream
  void write_statement(const call& what, const plan& with);
  void learn_time(const unit& u);
  void finish_current(unit& u);
  void close_shared();
  void written();
  void watch();
  std::vector<data::value> array_parameters(const call& what, const plan& with) const;

  event_loop& loop_;
  connection_owner& owner_;
  const options& how_;
  std::unique_ptr<link> socket_;
  plan_cache plans_;
  std::uint64_t next_name_ = 0;

  std::deque<unit> units_;      // sent, in order
  bool open_to_share_ = false;  // the last unit lacks its Sync
  /// A statement of the transaction was refused before it left, so that the server knows nothing of its
  /// failure, and perhaps nothing of a transaction: what follows must not run.
  bool skipping_ = false;
  std::size_t sharing_ = 0;                    // calls in units that are not their first
  std::vector<statement_call> spare_sharing_;  // empty; its memory is for the next unit
  std::deque<held_work> held_;                 // in order
  std::size_t settling_ = 0;                   // controls under way on a session that others share
  std::size_t beginning_ = 0;           // units under way that begin a transaction of the connection's user
  std::vector<std::string> forgotten_;  // names that the server still knows, to be closed with the next Parse

  std::string out_;
  std::size_t out_sent_ = 0;
  std::uint64_t sent_ = 0;  // bytes in all
  std::string in_;          // a message that is not all there
  char transaction_state_ = 'I';
  bool broken_ = false;
  bool watched_ = false;
  bool wants_write_ = false;
  bool cancelling_ = false;
  steady::time_point cancel_since_{};
  steady::time_point last_heard_{};
};

}  // namespace corbel::postgres
