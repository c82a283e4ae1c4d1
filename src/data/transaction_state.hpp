#pragma once

#include <memory>
#include <string>

#include "corbel/data/driver.hpp"

namespace corbel::data::detail {

/// What the handles of one transaction, or of one savepoint, share. It keeps the rules that are the same for
/// all databases, so that code written on one of them behaves on the others.
class transaction_state final : public runner {
 public:
  /// `depth` 0 is the transaction itself, above it are savepoints. `mode` is that of the transaction.
  transaction_state(std::shared_ptr<session> connection, transaction_mode mode, int depth);
  ~transaction_state() override;

  task<std::unique_ptr<result_set>> run(statement what) override;
  task<std::vector<statement_outcome>> run_all(std::vector<statement> all) override;
  const dialect& language() const noexcept override { return connection_->language(); }

  task<void> run_script(std::string script);
  /// Fails when `wanted` asks for what a savepoint of this transaction cannot give.
  task<std::shared_ptr<transaction_state>> nest(transaction_mode wanted);
  task<void> commit();
  void rollback() noexcept;

 private:
  void require_open() const;
  std::string savepoint() const;

  const std::shared_ptr<session> connection_;
  const transaction_mode mode_;
  const int depth_;
  bool open_ = true;
  bool failed_ = false;
};

}  // namespace corbel::data::detail
