#include "data/postgres/acting.hpp"

#include "data/postgres/session.hpp"

namespace corbel::postgres {
namespace {

/// Names and values travel as parameters, and `true` makes them end with the transaction.
prelude settings_of(const identity& who) {
  prelude all;
  for (const auto& [name, value] : who.settings()) {
    const auto at = all.values.size();
    all.sql += all.sql.empty() ? "select " : ", ";
    all.sql +=
        "pg_catalog.set_config($" + std::to_string(at + 1) + ", $" + std::to_string(at + 2) + ", true)";
    all.values.emplace_back(name);
    all.values.emplace_back(value);
  }
  if (all.sql.empty()) all.sql = "select 1";
  return all;
}

}  // namespace

acting::acting(std::shared_ptr<postgres::backend> on, identity who)
    : on_(std::move(on)), settings_(settings_of(who)) {}

task<std::unique_ptr<data::result_set>> acting::run(data::statement what) {
  std::vector<prelude> before{{"BEGIN", {}}, settings_};
  co_return co_await on_->run_between(std::move(before), std::move(what), true);
}

task<std::shared_ptr<data::session>> acting::begin(data::transaction_mode mode) {
  auto home = co_await on_->here();
  std::vector<prelude> settings{settings_};
  co_return co_await begin_session(std::move(home), mode, std::move(settings));
}

}  // namespace corbel::postgres
