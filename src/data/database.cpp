#include "corbel/data/database.hpp"

#include "data/transaction_state.hpp"

namespace corbel::data {

namespace detail {

task<std::int64_t> fetch_affected(std::shared_ptr<runner> on, statement what) {
  const auto rows = co_await on->run(std::move(what));
  co_return rows->affected();
}

namespace {

[[noreturn]] void refuse(const char* why) {
  throw failure(internal_error(why));
}

}  // namespace

transaction_state::transaction_state(std::shared_ptr<session> connection, int depth)
    : connection_(std::move(connection)), depth_(depth) {}

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

task<void> transaction_state::run_script(std::string script) {
  require_open();
  failed_ = true;
  co_await connection_->run_script(std::move(script));
  failed_ = false;
}

task<std::shared_ptr<transaction_state>> transaction_state::nest() {
  require_open();
  auto inner = std::make_shared<transaction_state>(connection_, depth_ + 1);
  inner->open_ = false;
  co_await connection_->run(statement::owning("SAVEPOINT " + inner->savepoint(), {}));
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
  co_await connection_->run(statement::owning("RELEASE SAVEPOINT " + savepoint(), {}));
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

namespace {

task<transaction> begin_in(std::shared_ptr<runner> on, transaction_use use) {
  if (auto outer = std::dynamic_pointer_cast<detail::transaction_state>(on))
    co_return transaction(co_await outer->nest());
  auto connection = co_await std::dynamic_pointer_cast<backend>(on)->begin(use);
  co_return transaction(std::make_shared<detail::transaction_state>(std::move(connection), 0));
}

std::string scheme_list(std::initializer_list<driver> drivers) {
  std::string all;
  for (const auto& one : drivers) all += (all.empty() ? "" : ", ") + std::string(one.scheme) + ":";
  return all.empty() ? "none, as no driver was given" : all;
}

}  // namespace

task<transaction> source::begin(transaction_use use) const {
  return begin_in(runner_, use);
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
    co_await on->run(statement("select 1", {}));
  }(runner());
}

database connect(std::string_view url, std::initializer_list<driver> drivers) {
  const auto colon = url.find(':');
  const auto scheme = url.substr(0, colon == std::string_view::npos ? 0 : colon);
  for (const auto& one : drivers)
    if (one.scheme == scheme) return one.open(url);
  // The URL itself may hold a password: only its scheme is shown.
  throw failure(error{error_kind::invalid, "bad_database_url",
                      "The database URL begins with \"" + std::string(scheme) +
                          ":\", for which this program has no driver. It has: " + scheme_list(drivers) +
                          "."});
}

}  // namespace corbel::data
