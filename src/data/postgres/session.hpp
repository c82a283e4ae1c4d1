#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/postgres/dialect.hpp"
#include "data/postgres/pool.hpp"

namespace corbel::postgres {

/// What a call came to; throws `failure` when it failed.
std::unique_ptr<data::result_set> rows_of(call& ended);
std::vector<data::statement_outcome> outcomes_of(const std::vector<call_ptr>& ended);

/// A transaction on a connection of its own. BEGIN travels with its first statement, so that it costs no
/// round trip, in one batch with it, so that no statement ever runs without it.
class session final : public data::session {
 public:
  /// `begin` are the statements that go before the first one; empty for a session without a transaction.
  session(std::shared_ptr<pool> home, std::shared_ptr<connection> on, std::vector<prelude> begin);
  ~session() override;

  task<std::unique_ptr<data::result_set>> run(data::statement what) override;
  task<std::vector<data::statement_outcome>> run_all(std::vector<data::statement> all) override;
  task<void> commit() override;
  void abandon() noexcept override;
  void defer(std::string sql) override { deferred_ += sql; }
  task<void> run_script(std::string script) override;
  const data::dialect& language() const noexcept override { return postgres_dialect; }

  /// No statement has a limit of time.
  void be_patient() noexcept { patient_ = true; }
  /// It runs as somebody else than our own role.
  void act() noexcept { acts_ = true; }

 private:
  std::shared_ptr<pool> home() const;
  call_ptr make_call(data::statement what);
  void release(bool rollback) noexcept;

  const std::weak_ptr<pool> home_;
  std::shared_ptr<connection> on_;
  std::vector<prelude> begin_;
  const bool in_transaction_;
  bool begun_ = false;
  bool patient_ = false;
  bool acts_ = false;
  bool in_commit_ = false;  // its end is awaited: nothing to roll back
  std::string deferred_;
};

/// Takes a connection and begins on it, or prepares to.
task<std::shared_ptr<data::session>> begin_session(std::shared_ptr<pool> home, data::transaction_mode mode,
                                                   std::vector<prelude> settings);

/// "BEGIN ISOLATION LEVEL ..."
std::string begin_text(data::transaction_mode mode);

}  // namespace corbel::postgres
