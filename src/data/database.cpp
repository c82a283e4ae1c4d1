#include "corbel/data/database.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <random>

#include "data/transaction_state.hpp"

namespace corbel::data {

namespace asio = boost::asio;
using namespace std::chrono_literals;

task<std::vector<statement_outcome>> runner::run_all(std::vector<statement> all) {
  std::vector<statement_outcome> outcomes;
  outcomes.reserve(all.size());
  for (auto& one : all) {
    try {
      outcomes.emplace_back(co_await run(std::move(one)));
    } catch (const failure& f) {
      outcomes.emplace_back(f.error());
    }
  }
  co_return outcomes;
}

namespace detail {

task<std::int64_t> fetch_affected(std::shared_ptr<runner> on, statement what) {
  const auto rows = co_await on->run(std::move(what));
  co_return rows->affected();
}

namespace {

[[noreturn]] void refuse(const char* why) {
  throw failure(internal_error(why));
}

/// The standard level of a reader has one view of all its reads.
isolation level_of(transaction_mode mode) {
  const bool one_view = mode.use == transaction_use::read && mode.isolation == isolation::standard;
  return one_view ? isolation::repeatable_read : mode.isolation;
}

/// A savepoint runs as its transaction does. What asks for the standard is content with that, but a reader
/// who asks for one view is not with what changes under it.
void require_given(transaction_mode outer, transaction_mode wanted) {
  const bool reads = wanted.use == transaction_use::read;
  if (reads && outer.use != transaction_use::read)
    refuse(
        "a nested transaction is a savepoint, which cannot be read-only while its transaction may write: "
        "begin it on the database, make the outer one read-only, or call plain transact");
  if (!reads && wanted.use != transaction_use::write)
    refuse("migrations begin transactions of their own: give them the database, not a transaction");
  const auto level = level_of(outer);
  const bool other_level = wanted.isolation == isolation::standard
                               ? reads && level == isolation::read_committed
                               : wanted.isolation != level;
  if (other_level)
    refuse(
        "a nested transaction is a savepoint, which runs at the isolation level of its transaction: ask for "
        "the level where the outer one begins, and for none here");
  if (wanted.deferrable && !outer.deferrable)
    refuse(
        "a nested transaction is a savepoint, which begins too late to be deferrable: let the outer one be "
        "deferrable");
}

}  // namespace

transaction_state::transaction_state(std::shared_ptr<session> connection, transaction_mode mode, int depth)
    : connection_(std::move(connection)), mode_(mode), depth_(depth) {}

transaction_state::~transaction_state() {
  rollback();
}

std::string transaction_state::savepoint() const {
  return "corbel_" + std::to_string(depth_);
}

void transaction_state::require_open() const {
  if (!open_)
    refuse("a transaction was used after it had ended: keep its statements before commit and rollback");
  if (failed_)
    refuse(
        "a statement of this transaction failed, so it can only be rolled back: let the failure leave "
        "the transaction, or put a statement that may fail into a nested transaction");
}

task<std::unique_ptr<result_set>> transaction_state::run(statement what) {
  require_open();
  failed_ = true;  // unless the statement comes back: a cancelled one counts as failed, too
  auto rows = co_await connection_->run(std::move(what));
  failed_ = false;
  co_return rows;
}

task<std::vector<statement_outcome>> transaction_state::run_all(std::vector<statement> all) {
  require_open();
  failed_ = true;
  auto outcomes = co_await connection_->run_all(std::move(all));
  failed_ = std::any_of(outcomes.begin(), outcomes.end(),
                        [](const statement_outcome& one) { return std::holds_alternative<error>(one); });
  co_return outcomes;
}

task<void> transaction_state::run_script(std::string script) {
  require_open();
  failed_ = true;
  co_await connection_->run_script(std::move(script));
  failed_ = false;
}

task<std::shared_ptr<transaction_state>> transaction_state::nest(transaction_mode wanted) {
  require_open();
  require_given(mode_, wanted);
  auto inner = std::make_shared<transaction_state>(connection_, mode_, depth_ + 1);
  inner->open_ = false;
  failed_ = true;  // as in `run`
  co_await connection_->run(statement::owning("SAVEPOINT " + inner->savepoint(), parameter_list()));
  failed_ = false;
  inner->open_ = true;
  co_return inner;
}

task<void> transaction_state::commit() {
  require_open();
  if (depth_ == 0) {
    open_ = false;
    co_await connection_->commit();
    co_return;
  }
  co_await connection_->run(statement::owning("RELEASE SAVEPOINT " + savepoint(), parameter_list()));
  open_ = false;
}

void transaction_state::rollback() noexcept {
  if (!open_) return;
  open_ = false;
  if (depth_ == 0)
    connection_->abandon();
  else
    connection_->defer("ROLLBACK TO SAVEPOINT " + savepoint() + "; RELEASE SAVEPOINT " + savepoint() + ";");
}

}  // namespace detail

const result_set& rows_of(const statement_outcome& from) {
  if (const auto* failed = std::get_if<error>(&from)) throw failure(*failed);
  return *std::get<0>(from);
}

bool is_transient(const error& e) noexcept {
  return e.origin<transient_origin>() != nullptr;
}

bool is_commit_unknown(const error& e) noexcept {
  return e.code() == "commit_unknown";
}

bool detail::is_transaction(const runner& on) noexcept {
  return dynamic_cast<const transaction_state*>(&on) != nullptr;
}

task<bool> detail::may_try_again(const error& failed, int attempt, int most) {
  if (attempt >= most || !is_transient(failed)) co_return false;
  // Full jitter: those that collided shall not meet again.
  const auto longest = std::min(5ms * (1 << std::min(attempt - 1, 8)), 1000ms);
  thread_local std::minstd_rand random{std::random_device()()};
  const auto pause = std::chrono::microseconds(
      std::uniform_int_distribution<std::int64_t>(0, longest.count() * 1000)(random));
  asio::steady_timer timer(co_await asio::this_coro::executor, pause);
  co_await timer.async_wait(asio::use_awaitable);
  co_return true;
}

namespace {

task<transaction> begin_in(std::shared_ptr<runner> on, transaction_mode mode) {
  if (auto outer = std::dynamic_pointer_cast<detail::transaction_state>(on))
    co_return transaction(co_await outer->nest(mode));
  auto connection = co_await std::dynamic_pointer_cast<backend>(on)->begin(mode);
  co_return transaction(std::make_shared<detail::transaction_state>(std::move(connection), mode, 0));
}

std::string scheme_list(std::initializer_list<driver> drivers) {
  std::string all;
  for (const auto& one : drivers) all += (all.empty() ? "" : ", ") + std::string(one.scheme) + ":";
  return all.empty() ? "none, as no driver was given" : all;
}

}  // namespace

task<transaction> source::begin(transaction_mode mode) const {
  return begin_in(runner_, mode);
}

transaction::transaction(std::shared_ptr<detail::transaction_state> state)
    : source(state), state_(std::move(state)) {}

transaction::~transaction() {
  if (state_) state_->rollback();
}

task<void> transaction::commit() {
  return [](std::shared_ptr<detail::transaction_state> state) -> task<void> {
    co_await state->commit();
  }(state_);
}

task<void> transaction::run_script(std::string script) {
  return [](std::shared_ptr<detail::transaction_state> state, std::string text) -> task<void> {
    co_await state->run_script(std::move(text));
  }(state_, std::move(script));
}

void transaction::rollback() noexcept {
  state_->rollback();
}

database::database(std::shared_ptr<data::backend> backend) : source(backend), backend_(std::move(backend)) {}

task<void> database::ping() const {
  return [](std::shared_ptr<data::runner> on) -> task<void> {
    co_await on->run(statement("select 1", parameter_list()));
  }(runner());
}

namespace {

/// As RFC 3986, 3.1 has it, but for a single letter, which begins a path of Windows.
bool is_scheme(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return text.size() > 1 && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
         });
}

std::string url_forms(std::initializer_list<driver> drivers) {
  std::string all;
  for (const auto& one : drivers) {
    if (!all.empty()) all += " or ";
    if (one.scheme == "sqlite")
      all += "sqlite:FILE, such as sqlite:app.db";
    else
      all += std::string(one.scheme) + "://user:password@host/name";
  }
  return all.empty() ? "one for a driver that connect(...) is given; it has none" : all;
}

database connect_by(std::string_view url, std::initializer_list<driver> drivers, const logger* log) {
  const auto colon = url.find(':');
  const auto scheme = url.substr(0, colon == std::string_view::npos ? 0 : colon);
  for (const auto& one : drivers)
    if (!scheme.empty() && (one.scheme == scheme || one.other_scheme == scheme)) return one.open(url, log);
  // The URL itself may hold a password: only its scheme is shown.
  if (!is_scheme(scheme))
    throw failure(error{error_kind::invalid, "bad_database_url",
                        (url.empty() ? std::string("The database URL is empty.")
                                     : "The database URL does not say which database it is for.") +
                            " Write " + url_forms(drivers) + '.'});
  throw failure(error{error_kind::invalid, "bad_database_url",
                      "The database URL begins with \"" + std::string(scheme) +
                          ":\", for which this program has no driver. It has: " + scheme_list(drivers) +
                          "."});
}

}  // namespace

database connect(std::string_view url, std::initializer_list<driver> drivers) {
  return connect_by(url, drivers, nullptr);
}

database connect(std::string_view url, std::initializer_list<driver> drivers, const logger& log) {
  return connect_by(url, drivers, &log);
}

}  // namespace corbel::data
