#pragma once

#include <memory>

#include "corbel/data/driver.hpp"
#include "data/postgres/pool.hpp"

namespace corbel::postgres {

class replica_set;

/// One Postgres server, or several that libpq chooses from: a pool on each loop that uses it.
class backend final : public data::backend, public std::enable_shared_from_this<backend> {
 public:
  explicit backend(options how);
  ~backend() override;

  task<std::unique_ptr<data::result_set>> run(data::statement what) override;
  task<std::vector<data::statement_outcome>> run_all(std::vector<data::statement> all) override;
  task<std::shared_ptr<data::session>> begin(data::transaction_mode mode) override;
  const data::dialect& language() const noexcept override;
  void stop() override;

  /// Runs a statement in a transaction of its own, which `before` begins: all of it travels in one batch.
  /// `acts` as somebody else than our own role.
  task<std::unique_ptr<data::result_set>> run_between(std::vector<prelude> before, data::statement what,
                                                      bool acts);

  /// The pool of the loop that awaits it.
  task<std::shared_ptr<pool>> here();
  const std::shared_ptr<shared_state>& state() const noexcept { return state_; }
  /// Made at the first call.
  std::shared_ptr<replica_set> replicas();
  /// Connections to the same server for who keeps one for ever, such as for a lock: none of them is missed by
  /// statements. Made at the first call.
  std::shared_ptr<backend> leads();

 private:
  std::mutex mutex_;
  std::shared_ptr<replica_set> replicas_;
  std::shared_ptr<backend> leads_;
  const std::shared_ptr<shared_state> state_;
};

}  // namespace corbel::postgres
