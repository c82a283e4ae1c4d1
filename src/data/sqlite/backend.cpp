#include <mutex>

#include "corbel/data/sqlite/sqlite.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "data/sql_tokens.hpp"
#include "data/sqlite/connection.hpp"
#include "data/sqlite/connection_pool.hpp"
#include "data/sqlite/dialect.hpp"

namespace corbel::sqlite {
namespace {

using rows_ptr = std::unique_ptr<data::result_set>;
using held = std::shared_ptr<lease>;

role role_for(std::string_view sql) {
  data::detail::sql_tokens tokens(sql);
  bool first = true;
  while (const auto token = tokens.next()) {
    if (token->is != data::detail::sql_token::kind::word) continue;
    if (first && (token->is_word("select") || token->is_word("values") || token->is_word("explain")))
      return role::reader;
    if (first && !token->is_word("with")) return role::writer;
    if (token->is_word("insert") || token->is_word("update") || token->is_word("delete") ||
        token->is_word("replace"))
      return role::writer;
    first = false;
  }
  return first ? role::writer : role::reader;
}

// What runs on the threads of the pool. Everything is taken by value: the caller may be gone.

rows_ptr run_alone(const abandonment& gone, held on, data::statement what) {
  const std::lock_guard lock((*on)->mutex);
  auto rows = (*on)->run(what, &gone);
  if ((*on)->in_transaction())
    throw failure(
        internal_error("BEGIN as a statement leaves the pool with an open transaction: use "
                       "db.transact(...)"));
  return rows;
}

void run_begin(const abandonment& gone, held on, data::transaction_use use) {
  const std::lock_guard lock((*on)->mutex);
  (*on)->begin(use, &gone);
}

void run_deferred(connection& on, const std::string& first) {
  if (!on.in_transaction() && !on.is_bare())
    throw failure(internal_error("the database ended the transaction by itself; nothing of it was kept"));
  if (!first.empty()) on.run_script(first);
}

rows_ptr run_inside(const abandonment& gone, held on, std::string first, data::statement what) {
  const std::lock_guard lock((*on)->mutex);
  run_deferred(**on, first);
  return (*on)->run(what, &gone);
}

void run_script_inside(held on, std::string first, std::string script) {
  const std::lock_guard lock((*on)->mutex);
  run_deferred(**on, first);
  (*on)->run_script(script);
}

void run_commit(held on, std::string first) {
  const std::lock_guard lock((*on)->mutex);
  run_deferred(**on, first);
  (*on)->commit();
}

class sqlite_backend final : public data::backend, public std::enable_shared_from_this<sqlite_backend> {
 public:
  explicit sqlite_backend(const options& how)
      // A thread for each connection: work that has a connection never waits for a thread.
      : threads_((how.in_memory ? 0 : how.readers) + 1, 4096),
        connections_(std::make_shared<connection_pool>(how, threads_)) {}
  ~sqlite_backend() override { sqlite_backend::stop(); }

  task<rows_ptr> run(data::statement what) override {
    auto on = co_await connection_pool::checkout(connections_, role_for(what.text()));
    co_return co_await threads_.run(&run_alone, std::move(on), std::move(what));
  }

  task<std::shared_ptr<data::session>> begin(data::transaction_mode mode) override;
  const data::dialect& language() const noexcept override { return sqlite_dialect; }

  void stop() override {
    connections_->close();
    threads_.stop();
  }

  blocking_pool& threads() noexcept { return threads_; }

 private:
  blocking_pool threads_;
  std::shared_ptr<connection_pool> connections_;
};

class sqlite_session final : public data::session {
 public:
  sqlite_session(std::shared_ptr<sqlite_backend> home, held on)
      : home_(std::move(home)), on_(std::move(on)) {}

  task<rows_ptr> run(data::statement what) override {
    co_return co_await home_->threads().run(&run_inside, connection(),
                                            std::exchange(deferred_, std::string()), std::move(what));
  }
  task<void> run_script(std::string script) override {
    co_await home_->threads().run(&run_script_inside, connection(), std::exchange(deferred_, std::string()),
                                  std::move(script));
  }
  task<void> commit() override {
    const auto threads = home_;
    co_await threads->threads().run_shielded(&run_commit, std::exchange(on_, held()),
                                             std::exchange(deferred_, std::string()));
  }
  void abandon() noexcept override { on_.reset(); }
  void defer(std::string sql) override { deferred_ += sql; }
  const data::dialect& language() const noexcept override { return sqlite_dialect; }

 private:
  held connection() const {
    if (!on_) throw failure(internal_error("a transaction was used after it had ended"));
    return on_;
  }

  const std::shared_ptr<sqlite_backend> home_;  // outlives the lease: its threads roll back
  held on_;
  std::string deferred_;
};

task<std::shared_ptr<data::session>> sqlite_backend::begin(data::transaction_mode mode) {
  // Writers take turns and readers have one view: every isolation level is served by the strictest.
  const auto as = mode.use == data::transaction_use::read ? role::reader : role::writer;
  auto on = co_await connection_pool::checkout(connections_, as);
  co_await threads_.run(&run_begin, on, mode.use);
  co_return std::make_shared<sqlite_session>(shared_from_this(), std::move(on));
}

}  // namespace

data::database open(options how) {
  return data::database(std::make_shared<sqlite_backend>(how));
}

data::database open(std::string_view url) {
  return open(parse_url(url).value());
}

data::driver driver() {
  return {"sqlite", [](std::string_view url, const logger*) { return open(url); }};
}

}  // namespace corbel::sqlite
