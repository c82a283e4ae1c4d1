#pragma once

#include <memory>

#include "corbel/data/postgres/identity.hpp"
#include "data/postgres/backend.hpp"
#include "data/postgres/call.hpp"

namespace corbel::postgres {

/// Runs everything as somebody.
class acting final : public data::backend {
 public:
  acting(std::shared_ptr<postgres::backend> on, identity who);

  task<std::unique_ptr<data::result_set>> run(data::statement what) override;
  task<std::shared_ptr<data::session>> begin(data::transaction_mode mode) override;
  const data::dialect& language() const noexcept override { return on_->language(); }
  void stop() override {}

 private:
  const std::shared_ptr<postgres::backend> on_;
  const prelude settings_;  // one statement that makes all of them
};

}  // namespace corbel::postgres
