#include "data/postgres/session.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "data/postgres/script.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Advisory locks are numbers: this one is "corbel" in ASCII, and 1 for migrations.
constexpr std::int64_t migration_lock = 0x636f'7262'656c'01;
constexpr auto lock_poll = 100ms;

}  // namespace

std::unique_ptr<data::result_set> rows_of(call& ended) {
  if (ended.failed) throw failure(std::move(*ended.failed));
  return std::move(ended.result);
}

std::vector<data::statement_outcome> outcomes_of(const std::vector<call_ptr>& ended) {
  std::vector<data::statement_outcome> outcomes;
  outcomes.reserve(ended.size());
  for (const auto& one : ended) {
    if (one->failed)
      outcomes.emplace_back(std::move(*one->failed));
    else
      outcomes.emplace_back(std::move(one->result));
  }
  return outcomes;
}

std::string begin_text(data::transaction_mode mode) {
  std::string text = "BEGIN";
  switch (mode.isolation) {
    case data::isolation::standard:
      // Several reads of one view need a snapshot that lasts.
      if (mode.use == data::transaction_use::read) text += " ISOLATION LEVEL REPEATABLE READ";
      break;
    case data::isolation::read_committed: text += " ISOLATION LEVEL READ COMMITTED"; break;
    case data::isolation::repeatable_read: text += " ISOLATION LEVEL REPEATABLE READ"; break;
    case data::isolation::serializable: text += " ISOLATION LEVEL SERIALIZABLE"; break;
  }
  if (mode.use == data::transaction_use::read) text += " READ ONLY";
  if (mode.deferrable) text += " DEFERRABLE";
  return text;
}

session::session(std::shared_ptr<pool> home, std::shared_ptr<connection> on, std::vector<prelude> begin)
    : home_(std::move(home)),
      on_(std::move(on)),
      begin_(std::move(begin)),
      in_transaction_(!begin_.empty()) {}

session::~session() {
  session::abandon();
}

std::shared_ptr<pool> session::home() const {
  auto alive = home_.lock();
  if (!alive || !on_) throw failure(internal_error("a transaction was used after it had ended"));
  return alive;
}

call_ptr session::make_call(data::statement what) {
  call_ptr made(new call(std::move(what)));
  made->patient = patient_;
  made->acts = acts_;
  made->in_transaction = in_transaction_;
  made->before = std::exchange(begin_, {});
  begun_ = true;
  if (!deferred_.empty()) on_->control(std::exchange(deferred_, {}));
  return made;
}

task<std::unique_ptr<data::result_set>> session::run(data::statement what) {
  const auto pool = home();
  const auto c = make_call(std::move(what));
  co_await pool->run_on(on_, c);
  co_return rows_of(*c);
}

task<std::vector<data::statement_outcome>> session::run_all(std::vector<data::statement> all) {
  if (all.empty()) co_return std::vector<data::statement_outcome>();
  const auto pool = home();
  std::vector<call_ptr> calls;
  calls.reserve(all.size());
  for (auto& one : all) calls.push_back(make_call(std::move(one)));
  boost::intrusive_ptr<gathering> together(new gathering);
  co_await pool->run_on(on_, together, calls);
  co_return outcomes_of(calls);
}

task<void> session::run_script(std::string script) {
  const auto all = split_script(script);
  for (const auto& one : all) {
    const auto kind = classify(one.text);
    if (kind.controls_transaction || kind.controls_savepoint)
      throw failure(internal_error("the statement at line " + std::to_string(one.line) +
                                   (in_transaction_ ? ": a script runs in a transaction already"
                                                    : ": each statement of this script stands for itself") +
                                   "; take BEGIN, COMMIT, ROLLBACK and SAVEPOINT out"));
  }
  // A script's statements go by the simple protocol, which takes no batch: BEGIN goes first.
  if (!begin_.empty()) {
    data::statement nothing("select 1", {});
    co_await run(std::move(nothing));
  }
  for (const auto& one : all) {
    const auto pool = home();
    const auto c = make_call(data::statement::owning(std::string(one.text), {}));
    c->script = true;
    co_await pool->run_on(on_, c);
    if (!c->failed) continue;
    auto said = std::move(*c->failed);
    auto cause = said.cause() + " in the statement at line " + std::to_string(one.line);
    throw failure(std::move(said).because(std::move(cause)));
  }
}

task<void> session::commit() {
  const auto pool = home();
  const auto on = on_;
  if (!in_transaction_ || !begun_) {
    release(false);
    co_return;
  }
  if (!deferred_.empty()) on->control(std::exchange(deferred_, {}));
  call_ptr c(new call(data::statement("COMMIT", {})));
  c->script = true;
  c->commit_behind = true;
  c->in_transaction = true;
  c->patient = patient_;
  in_commit_ = true;
  // Whoever is cancelled meanwhile must not leave with the outcome unknown.
  co_await pool->run_on(on, c, true);
  in_commit_ = false;
  release(false);
  if (c->failed) throw failure(std::move(*c->failed));
}

void session::abandon() noexcept {
  release(in_transaction_ && begun_);
}

void session::release(bool rollback) noexcept {
  const auto on = std::exchange(on_, nullptr);
  if (!on) return;
  if (const auto pool = home_.lock()) pool->give_back(on, rollback && !in_commit_);
}

namespace {

/// A connection that goes back unless it is passed on.
struct borrowed {
  std::shared_ptr<pool> home;
  std::shared_ptr<connection> on;
  ~borrowed() {
    if (on) home->give_back(on, false);
  }
};

/// Makes the session the only one that migrates, and lifts its limits of time, for a table may be large. How
/// long it waits for locks of others stays with the role: whatever comes behind an ALTER that waits for a
/// long SELECT waits, too. It holds no transaction while it waits here, and never waits in a statement:
/// either would hold a snapshot, for which another runner's CREATE INDEX CONCURRENTLY waits in turn.
task<void> lock_migrations(std::shared_ptr<pool> home, std::shared_ptr<connection> on) {
  on->dirty = true;  // what is done here is undone by the reset of the session
  const call_ptr limits(
      new call(data::statement("select set_config('statement_timeout', '0', false), "
                               "set_config('idle_in_transaction_session_timeout', '0', false)",
                               {})));
  co_await home->run_on(on, limits);
  (void)rows_of(*limits);
  for (;;) {
    const call_ptr attempt(new call(data::statement("select pg_try_advisory_lock($1)::int",
                                                    data::parameter_list::of(data::value(migration_lock)))));
    co_await home->run_on(on, attempt);
    const auto rows = rows_of(*attempt);
    if (std::get<std::int64_t>(rows->at(0, 0)) == 1) co_return;
    asio::steady_timer timer(co_await asio::this_coro::executor, lock_poll);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

task<std::shared_ptr<data::session>> begin_session(std::shared_ptr<pool> home, data::transaction_mode mode,
                                                   std::vector<prelude> settings) {
  using data::transaction_use;
  borrowed mine;
  mine.home = home;
  mine.on = co_await home->take();
  const bool migrates = mode.use == transaction_use::migrate || mode.use == transaction_use::migrate_bare;
  if (migrates && home->how().transaction_pooler)
    throw failure(
        error{error_kind::invalid, "session_needed",
              "Migrations hold a lock on a session of their own, and behind a transaction pooler nobody "
              "has one. Run them with a DATABASE_URL that names the server itself."});
  if (migrates) co_await lock_migrations(home, mine.on);
  const bool acts = !settings.empty();
  std::vector<prelude> begin;
  if (mode.use != transaction_use::migrate_bare) begin.push_back({begin_text(mode), {}});
  for (auto& one : settings) begin.push_back(std::move(one));
  auto made = std::make_shared<session>(home, std::exchange(mine.on, nullptr), std::move(begin));
  if (migrates) made->be_patient();
  if (acts) made->act();
  co_return made;
}

}  // namespace corbel::postgres
