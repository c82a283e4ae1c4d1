#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <corbel/data/database.hpp>

namespace corbel::data {

/// Statements that travel together, so that several cost one round trip:
/// ```
/// data::pipeline both(db);
/// const auto found = both.query_one<project>("select * from projects where id = $1", id);
/// const auto open = both.query_one<int>("select count(*) from tasks where project_id = $1", id);
/// co_await both.run();
/// use(found.get(), open.get());
/// ```
/// Each stands and fails for itself. In a transaction they run in order, and what follows a failure fails,
/// too; on a database the order is open, and one does not see what another did. Used by one coroutine.
class pipeline {
 public:
  explicit pipeline(source on)
      : on_(std::move(on)), outcomes_(std::make_shared<std::vector<statement_outcome>>()) {}

  /// What a statement will have given once `run` has ended.
  template <class Value>
  class pending {
   public:
    /// Throws `failure` when this statement failed; std::logic_error before `run` has ended.
    Value get() const { return read_(outcome_at(*outcomes_, place_)); }

   private:
    friend class pipeline;
    pending(std::shared_ptr<const std::vector<statement_outcome>> outcomes, std::size_t place,
            Value (*read)(const statement_outcome&))
        : outcomes_(std::move(outcomes)), place_(place), read_(read) {}
    std::shared_ptr<const std::vector<statement_outcome>> outcomes_;
    std::size_t place_;
    Value (*read_)(const statement_outcome&);
  };

  template <class T, class... Args>
  pending<std::vector<T>> query(sql_text<sizeof...(Args)> sql, const Args&... args) {
    return add<std::vector<T>>(make_statement(sql, args...),
                               [](const statement_outcome& from) { return rows_as<T>(rows_of(from)); });
  }
  template <class T, class... Args>
  pending<std::optional<T>> query_one(sql_text<sizeof...(Args)> sql, const Args&... args) {
    return add<std::optional<T>>(make_statement(sql, args...),
                                 [](const statement_outcome& from) { return one_as<T>(rows_of(from)); });
  }
  template <class... Args>
  pending<std::int64_t> execute(sql_text<sizeof...(Args)> sql, const Args&... args) {
    return add<std::int64_t>(make_statement(sql, args...),
                             [](const statement_outcome& from) { return rows_of(from).affected(); });
  }

  /// Runs what was added, once. Ends when every statement has; a failed one throws where its value is asked.
  task<void> run();

 private:
  static const statement_outcome& outcome_at(const std::vector<statement_outcome>& all, std::size_t place);

  template <class Value>
  pending<Value> add(statement what, Value (*read)(const statement_outcome&)) {
    statements_.push_back(std::move(what));
    return {outcomes_, statements_.size() - 1, read};
  }

  source on_;
  std::vector<statement> statements_;
  std::shared_ptr<std::vector<statement_outcome>> outcomes_;
};

}  // namespace corbel::data
