#pragma once

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <corbel/base/result.hpp>
#include <corbel/base/temporaries.hpp>
#include <corbel/data/codec.hpp>
#include <corbel/data/driver.hpp>
#include <corbel/data/sql.hpp>
#include <corbel/data/transaction_options.hpp>
#include <corbel/observe/log.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel::data {

class transaction;

/// The statement of SQL text and its arguments.
template <class... Args>
statement make_statement(const sql_text<sizeof...(Args)>& sql, const Args&... args) {
  auto values = parameter_list::of(parameter(args)...);
  if (sql.is_literal()) return {sql.text(), std::move(values)};
  return statement::owning(std::string(sql.text()), std::move(values));
}

namespace detail {
class transaction_state;
template <class T>
task<std::vector<T>> fetch_all(std::shared_ptr<runner> on, statement what) {
  const auto rows = co_await on->run(std::move(what));
  co_return rows_as<T>(*rows);
}
template <class T>
task<std::optional<T>> fetch_one(std::shared_ptr<runner> on, statement what) {
  const auto rows = co_await on->run(std::move(what));
  co_return one_as<T>(*rows);
}
template <class T>
task<std::vector<std::optional<T>>> fetch_one_each(std::shared_ptr<runner> on, std::vector<statement> all) {
  const auto outcomes = co_await on->run_all(std::move(all));
  co_return each_one_as<T>(outcomes);
}
task<std::int64_t> fetch_affected(std::shared_ptr<runner> on, statement what);
}  // namespace detail

/// Where statements run: a `database`, or a `transaction` of one. A cheap handle; code that takes a `source`
/// works in both.
///
/// SQL is a literal with `$1`, `$2`, ... for the arguments, which the compiler counts; arguments are copied
/// before the call returns. A statement that fails throws `failure`: a broken constraint (`constraint.hpp`),
/// `unavailable` when the database is busy, full or gone, `internal` for everything else.
class source {
 public:
  explicit source(std::shared_ptr<data::runner> runner) : runner_(std::move(runner)) {}

  /// All rows. T is a described class, whose fields are found by column name (`createdAt` in `created_at`),
  /// or a single value: an integer, text, an optional of one, `data::value`.
  template <class T, class... Args>
  task<std::vector<T>> query(sql_text<sizeof...(Args)> sql, const Args&... args) const {
    return detail::fetch_all<T>(runner_, make_statement(sql, args...));
  }

  /// The only row, or none. Several rows are an internal error.
  template <class T, class... Args>
  task<std::optional<T>> query_one(sql_text<sizeof...(Args)> sql, const Args&... args) const {
    return detail::fetch_one<T>(runner_, make_statement(sql, args...));
  }

  /// Runs a statement for its effect; gives the number of rows it inserted, updated or deleted.
  template <class... Args>
  task<std::int64_t> execute(sql_text<sizeof...(Args)> sql, const Args&... args) const {
    return detail::fetch_affected(runner_, make_statement(sql, args...));
  }

  /// `query_one` once for each argument, all at once where the database can (`pipeline.hpp` does it with
  /// statements that differ). Gives what they gave, in the order of the arguments; throws the first failure
  /// when all have ended.
  template <class T, class Arg>
  task<std::vector<std::optional<T>>> query_one_each(sql_text<1> sql, const std::vector<Arg>& each) const {
    std::vector<statement> all;
    all.reserve(each.size());
    for (const auto& one : each) all.push_back(make_statement(sql, one));
    return detail::fetch_one_each<T>(runner_, std::move(all));
  }

  /// Runs `body(tx, args...)`, a coroutine, in a transaction and gives what it gives. Commits when it
  /// returns; rolls back when it throws, when it returns an error as a `result`, and when it is cancelled. In
  /// a transaction it makes a savepoint. A statement that fails dooms its transaction: put one that may fail
  /// into a nested transaction. Inside `body` use `tx`: what runs on the database itself is not part of the
  /// transaction, and a write there waits for the very transaction that waits for it.
  ///
  /// A savepoint has the mode of its transaction. To ask it for another one is an internal error.
  ///
  /// `body` captures nothing and is given copies of `args`, so that it may run after the call.
  template <class Body, class... Args>
  auto transact(Body body, Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return transact_in<Body, std::decay_t<Args>...>(transaction_options(), std::move(body),
                                                    std::forward<Args>(args)...);
  }
  /// The same with an isolation level, a limit of attempts, and more.
  template <class Body, class... Args>
  auto transact(transaction_options how, Body body, Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return transact_in<Body, std::decay_t<Args>...>(std::move(how), std::move(body),
                                                    std::forward<Args>(args)...);
  }
  /// The same for a consistent view of several reads; writing in it fails.
  template <class Body, class... Args>
  auto transact_read_only(Body body, Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return transact_in<Body, std::decay_t<Args>...>(transaction_options().read_only(), std::move(body),
                                                    std::forward<Args>(args)...);
  }

  /// The handle form: nothing is kept unless `commit` is awaited. In a transaction it makes a savepoint.
  task<data::transaction> begin(transaction_mode mode = {}) const;

  template <class T, class... Args>
  corbel::detail::if_risky<task<std::vector<T>>, Args...> query(sql_text<sizeof...(Args)> sql,
                                                                Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return query<T>(sql, std::as_const(args)...);
  }
  template <class T, class... Args>
  corbel::detail::if_risky<task<std::optional<T>>, Args...> query_one(sql_text<sizeof...(Args)> sql,
                                                                      Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return query_one<T>(sql, std::as_const(args)...);
  }
  template <class... Args>
  corbel::detail::if_risky<task<std::int64_t>, Args...> execute(sql_text<sizeof...(Args)> sql,
                                                                Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return execute(sql, std::as_const(args)...);
  }

  const dialect& language() const noexcept { return runner_->language(); }
  const std::shared_ptr<data::runner>& runner() const noexcept { return runner_; }

 private:
  template <class Body, class... Args>
  auto transact_in(transaction_options how, Body body, Args... args) const;

  std::shared_ptr<data::runner> runner_;
};

/// An open transaction, or a savepoint in one. Rolled back when it is destroyed before `commit`. Used by one
/// coroutine at a time.
class transaction : public source {
 public:
  explicit transaction(std::shared_ptr<detail::transaction_state> state);
  transaction(transaction&&) noexcept = default;
  transaction& operator=(transaction&&) = delete;
  ~transaction();

  /// Once this returns, the changes are durable. Cancellation does not interrupt it.
  task<void> commit();
  /// Runs the statements of a script, which may not begin or end transactions themselves. A failure says at
  /// which line. The script is not checked: like `trusted` text, no part of it may come from input.
  task<void> run_script(std::string script);
  /// Takes effect at once for everyone else's eyes; the work happens in the background.
  void rollback() noexcept;

 private:
  std::shared_ptr<detail::transaction_state> state_;
};

/// A database with its pool of connections. A cheap handle: copies share the pool. Thread-safe.
class database : public source {
 public:
  explicit database(std::shared_ptr<data::backend> backend);

  /// Whether the database answers: throws `failure` when it does not.
  task<void> ping() const;
  /// Refuses new statements, returns when those that run have ended. Blocks; call it at shutdown, before the
  /// event loops are destroyed.
  void stop() const { backend_->stop(); }

 private:
  std::shared_ptr<data::backend> backend_;
};

/// What turns URLs of one scheme into databases. `sqlite::driver()` gives one.
struct driver {
  std::string_view scheme;
  database (*open)(std::string_view url, const logger* log);  ///< `log` may be null
  std::string_view other_scheme{};                            ///< for the same databases
};

/// Opens `url` with the driver of its scheme. Throws `failure`, with a message for the operator, when the
/// URL is wrong or the database cannot be opened.
database connect(std::string_view url, std::initializer_list<driver> drivers);
/// What the database has to say beside its answers, such as slow statements, goes to `log`.
database connect(std::string_view url, std::initializer_list<driver> drivers, const logger& log);

namespace detail {

/// Whether it is a transaction, so that one begun in it is a savepoint.
bool is_transaction(const runner& on) noexcept;

/// Stores the key of a transaction in it, with the name of this attempt, which it gives; does nothing without
/// a key.
task<std::string> record_key(transaction* tx, std::string key);
/// Commits; where that is left open and there is a key, finds out what came of this attempt.
task<void> settle(transaction* tx, source from, std::string key, std::string attempt);

template <class Outcome, class Body, class... Args>
task<Outcome> run_once(source from, transaction_options how, Body body, Args... args) {
  transaction tx = co_await from.begin(how.mode());
  const std::string attempt = co_await record_key(&tx, how.key());
  if constexpr (std::is_void_v<Outcome>) {
    co_await std::invoke(body, tx, std::move(args)...);
    co_await settle(&tx, from, how.key(), attempt);
  } else {
    Outcome outcome = co_await std::invoke(body, tx, std::move(args)...);
    if constexpr (is_result<Outcome>) {
      if (!outcome.has_value()) {
        tx.rollback();
        co_return outcome;
      }
    }
    co_await settle(&tx, from, how.key(), attempt);
    co_return outcome;
  }
}

/// Whether `failed` is worth another attempt; waits a moment before the answer is yes.
task<bool> may_try_again(const error& failed, int attempt, int most);

template <class Outcome, class Body, class... Args>
task<Outcome> run_transaction(source from, transaction_options how, Body body, Args... args) {
  for (int attempt = 1;; ++attempt) {
    const bool last = attempt >= how.most_attempts();
    std::optional<error> failed;
    std::exception_ptr thrown;
    try {
      if constexpr (std::is_void_v<Outcome>) {
        co_await run_once<void>(from, how, body, args...);
        co_return;
      } else {
        Outcome outcome = co_await run_once<Outcome>(from, how, body, args...);
        if constexpr (is_result<Outcome>) {
          if (!outcome && !last) failed = outcome.error();
        }
        if (!failed) co_return outcome;
      }
    } catch (const failure& f) {
      if (last) throw;
      failed = f.error();
      thrown = std::current_exception();
    }
    const bool again = co_await may_try_again(*failed, attempt, how.most_attempts());
    if (again) continue;
    if (thrown) std::rethrow_exception(thrown);
    if constexpr (is_result<Outcome>) co_return std::move(*failed);
  }
}

}  // namespace detail

template <class Body, class... Args>
auto source::transact_in(transaction_options how, Body body, Args... args) const {
  static_assert(
      std::is_empty_v<Body> || std::is_pointer_v<Body>,
      "corbel: the body of a transaction captures nothing; pass what it needs as further arguments");
  static_assert(
      std::is_invocable_v<Body&, data::transaction&, Args&&...>,
      "corbel: the body of a transaction takes a data::transaction& and then the further arguments");
  using returned = std::invoke_result_t<Body&, data::transaction&, Args&&...>;
  static_assert(is_task<returned>, "corbel: the body of a transaction is a coroutine: it returns a task");
  using given = typename returned::value_type;
  // What can be tried again keeps its arguments; what cannot hands them on, and may have ones that only move.
  // A savepoint cannot: what undoes a transaction because of others undoes the whole of it.
  if constexpr ((std::is_copy_constructible_v<Args> && ...))
    if (how.most_attempts() > 1 && !detail::is_transaction(*runner_))
      return detail::run_transaction<given>(*this, how, std::move(body), std::move(args)...);
  return detail::run_once<given>(*this, std::move(how), std::move(body), std::move(args)...);
}

}  // namespace corbel::data
