#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <vector>

#include "corbel/data/postgres/replicas.hpp"
#include "data/postgres/backend.hpp"

namespace corbel::postgres {

class replica_watch;

/// The replicas of a primary. Thread-safe; what is known of them is kept on each loop.
class replica_set : public std::enable_shared_from_this<replica_set> {
 public:
  replica_set(std::weak_ptr<backend> primary, std::vector<std::shared_ptr<backend>> replicas);

  /// The servers that may take a read now, the best first; the primary last, when the policy says so.
  task<std::vector<std::shared_ptr<backend>>> candidates(read_policy policy);
  /// A read failed for want of a server: it is passed over until it answers again.
  task<void> lost(std::shared_ptr<backend> server);
  /// Whether its connections are still those that it was last asked on.
  task<bool> is_same(std::shared_ptr<backend> server);
  void stop();

 private:
  std::shared_ptr<replica_watch> watch_on(const boost::asio::any_io_executor& here);

  const std::weak_ptr<backend> primary_;
  const std::vector<std::shared_ptr<backend>> replicas_;
  loop_local<replica_watch> watches_;
};

/// Runs reads on replicas.
class replica_reads final : public data::backend {
 public:
  replica_reads(std::shared_ptr<postgres::backend> primary, read_policy policy)
      : primary_(std::move(primary)), all_(primary_->replicas()), policy_(policy) {}

  task<std::unique_ptr<data::result_set>> run(data::statement what) override;
  task<std::shared_ptr<data::session>> begin(data::transaction_mode mode) override;
  const data::dialect& language() const noexcept override { return primary_->language(); }
  void stop() override {}

 private:
  task<std::unique_ptr<data::result_set>> run_on(std::shared_ptr<postgres::backend> server,
                                                 data::statement what);
  task<bool> knows(std::shared_ptr<postgres::backend> server);

  const std::shared_ptr<postgres::backend> primary_;
  const std::shared_ptr<replica_set> all_;
  const read_policy policy_;
};

}  // namespace corbel::postgres
