#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <corbel/base/describe/type.hpp>
#include <corbel/base/error.hpp>
#include <corbel/data/value.hpp>
#include <corbel/runtime/task.hpp>

/// What a database has to offer. Users meet it in `database.hpp`; each driver implements it once.
namespace corbel::data {

/// The rows one statement gave, wherever the driver keeps them.
class result_set {
 public:
  virtual ~result_set() = default;
  virtual std::size_t column_count() const noexcept = 0;
  virtual std::string_view column_name(std::size_t column) const = 0;
  virtual std::size_t row_count() const noexcept = 0;
  /// Views into this result.
  virtual cell at(std::size_t row, std::size_t column) const = 0;
  /// Rows that were inserted, updated or deleted.
  virtual std::int64_t affected() const noexcept = 0;
  /// Two results that are there at once and give the same have the same columns. Null where that is not
  /// known.
  virtual const void* shape() const noexcept { return nullptr; }
};

/// The values of one statement, `$1` first. The usual few need no memory of their own.
class parameter_list {
 public:
  static constexpr std::size_t few = 2;

  parameter_list() = default;
  parameter_list(std::vector<value> values) : many_(std::move(values)) {}
  template <class... Values>
  static parameter_list of(Values&&... values) {
    parameter_list made;
    if constexpr (sizeof...(Values) <= few) {
      made.few_count_ = sizeof...(Values);
      made.few_ = {std::forward<Values>(values)...};
    } else {
      made.many_.reserve(sizeof...(Values));
      (made.many_.push_back(std::forward<Values>(values)), ...);
    }
    return made;
  }

  std::span<const value> all() const noexcept {
    return few_count_ > 0 ? std::span(few_.data(), few_count_) : std::span<const value>(many_);
  }

 private:
  std::array<value, few> few_;
  std::size_t few_count_ = 0;
  std::vector<value> many_;
};

/// One statement with its values.
class statement {
 public:
  statement(std::string_view literal, parameter_list values)
      : literal_(literal), parameters_(std::move(values)) {}
  static statement owning(std::string text, parameter_list values) {
    statement made({}, std::move(values));
    made.made_ = std::move(text);
    return made;
  }

  std::string_view text() const noexcept { return made_.empty() ? literal_ : std::string_view(made_); }
  std::span<const value> parameters() const noexcept { return parameters_.all(); }
  const parameter_list& owned_parameters() const noexcept { return parameters_; }

 private:
  std::string_view literal_;  // of static storage
  std::string made_;
  parameter_list parameters_;
};

/// Where databases differ and portable code has to know.
struct dialect {
  std::string_view name;            ///< "sqlite", "postgres"
  std::size_t most_parameters = 0;  ///< in one statement
  /// A query that gives 1 when there is a table named `$1` where unqualified names are looked up, else 0. It
  /// needs no rights, and in a transaction it does not fail.
  std::string_view find_table =
      "select count(*) from information_schema.tables where table_schema = current_schema and table_name = "
      "$1";
  /// Behind the select of rows that nobody else shall change or remove until the transaction ends, the second
  /// for many who only want them to stay. Empty where one that writes is the only one.
  std::string_view for_update{};
  std::string_view for_share{};
  /// Behind an integer that is compared with a column, which may be of fewer bits.
  std::string_view integer_operand{};
  /// Behind a column of decimals where it is text, so that it is compared by value.
  std::string_view decimal_column{};
  /// What stands at `path` in a column of JSON, as SQL that compares as `leaf` does; NULL where nothing is.
  /// The path has letters, digits and underscores alone. An index on this very expression serves it.
  std::string (*member)(std::string_view column, std::span<const std::string_view> path,
                        const type_descriptor& leaf) = nullptr;
  /// Whether the list in a column has an element. `placeholder` stands for what `element` makes of it.
  std::string (*has)(std::string_view column, std::string_view placeholder) = nullptr;
  value (*element)(const type_descriptor& of, const value& wanted) = nullptr;
  /// A script that makes names mean again, and takes back the rights, what they did when the session began: a
  /// migration may leave it with others. Empty where no statement changes them.
  std::string_view restore_session = {};
};

/// What one of several statements came to: its rows, or why it failed.
using statement_outcome = std::variant<std::unique_ptr<result_set>, error>;

/// Where statements run. A failed statement throws `failure` with an error of `constraint.hpp`'s kinds.
class runner {
 public:
  virtual ~runner() = default;
  virtual task<std::unique_ptr<result_set>> run(statement what) = 0;
  /// Runs statements that do not wait for one another: each stands and fails for itself. In a transaction
  /// they run in order, and what follows a failure fails, too; on a database the order is open. Unless the
  /// driver can do better, one after another.
  virtual task<std::vector<statement_outcome>> run_all(std::vector<statement> all);
  virtual const dialect& language() const noexcept = 0;
};

/// One connection that is inside a transaction. Losing it without `commit` rolls back in the background and
/// returns the connection to its pool.
class session : public runner {
 public:
  /// Ends the transaction for good and releases the connection. Cancellation does not interrupt it.
  virtual task<void> commit() = 0;
  /// Ends the transaction and releases the connection, without waiting.
  virtual void abandon() noexcept = 0;
  /// Puts SQL before the next statement or the commit, without waiting: how savepoints are rolled back by
  /// code that was cancelled.
  virtual void defer(std::string sql) = 0;
  /// Runs the statements of a script one after another; ones that begin or end transactions are refused.
  virtual task<void> run_script(std::string script) = 0;
};

enum class transaction_use : std::uint8_t {
  write,
  read,     ///< one consistent view; writing is refused
  migrate,  ///< alone: other runners of migrations wait, foreign keys are checked at the end
  /// The same lock without a transaction: every statement stands for itself, those of a script, too. `commit`
  /// and `abandon` release the lock and leave the connection as it was before. Who waits for the lock, here
  /// and for `migrate`, holds no transaction open meanwhile: in Postgres CREATE INDEX CONCURRENTLY waits for
  /// every transaction, and the two would wait for each other.
  migrate_bare,
};

/// What other transactions do while one runs, as the SQL standard has it.
enum class isolation : std::uint8_t {
  standard,  ///< the database's own: read committed in Postgres; SQLite is always serializable
  read_committed,
  repeatable_read,
  serializable,
};

/// How a transaction runs.
struct transaction_mode {
  transaction_use use = transaction_use::write;
  data::isolation isolation = data::isolation::standard;
  /// A serializable reader waits for a moment at which it cannot conflict, and then never fails.
  bool deferrable = false;
};

/// A database: a pool of connections.
class backend : public runner {
 public:
  virtual task<std::shared_ptr<session>> begin(transaction_mode mode) = 0;
  /// Refuses new statements and returns when those that run have ended. Blocks; not for event loops.
  virtual void stop() = 0;
};

}  // namespace corbel::data
