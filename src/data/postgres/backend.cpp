#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/this_coro.hpp>

#include "corbel/data/postgres/postgres.hpp"
#include "data/postgres/backend.hpp"
#include "data/postgres/replicas.hpp"
#include "data/postgres/session.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_leads = 256;
/// Of one that nobody leads on: who only asks whether he may lead asks seldom.
constexpr auto lead_lifetime = std::chrono::seconds(10);

std::shared_ptr<pool> pool_here(const std::shared_ptr<shared_state>& state,
                                const asio::any_io_executor& here) {
  return shared_state::pool_on(state, loop_of(here));
}

}  // namespace

backend::backend(options how) : state_(std::make_shared<shared_state>(std::move(how))) {}

backend::~backend() {
  backend::stop();
}

task<std::shared_ptr<pool>> backend::here() {
  const auto executor = co_await asio::this_coro::executor;
  co_return pool_here(state_, executor);
}

task<std::unique_ptr<data::result_set>> backend::run(data::statement what) {
  const auto executor = co_await asio::this_coro::executor;
  const auto home = pool_here(state_, executor);
  const call_ptr c(new call(std::move(what)));
  co_await home->run(c);
  co_return rows_of(*c);
}

task<std::unique_ptr<data::result_set>> backend::run_between(std::vector<prelude> before,
                                                             data::statement what, bool acts) {
  const auto home = co_await here();
  const call_ptr c(new call(std::move(what)));
  c->acts = acts;
  c->before = std::move(before);
  c->commit_behind = true;
  co_await home->run(c);
  co_return rows_of(*c);
}

task<std::vector<data::statement_outcome>> backend::run_all(std::vector<data::statement> all) {
  if (all.empty()) co_return std::vector<data::statement_outcome>();
  const auto executor = co_await asio::this_coro::executor;
  const auto home = pool_here(state_, executor);
  std::vector<call_ptr> calls;
  calls.reserve(all.size());
  for (auto& one : all) calls.emplace_back(new call(std::move(one)));
  boost::intrusive_ptr<gathering> together(new gathering);
  co_await home->run(together, calls);
  co_return outcomes_of(calls);
}

task<std::shared_ptr<data::session>> backend::begin(data::transaction_mode mode) {
  auto home = co_await here();
  co_return co_await begin_session(std::move(home), mode, std::vector<prelude>());
}

const data::dialect& backend::language() const noexcept {
  return postgres_dialect;
}

void backend::stop() {
  state_->close();
  const std::lock_guard lock(mutex_);
  if (replicas_) replicas_->stop();
  if (leads_) leads_->stop();
}

std::shared_ptr<backend> backend::leads() {
  const std::lock_guard lock(mutex_);
  if (leads_) return leads_;
  auto how = state_->how;
  how.connections = most_leads;
  how.max_lifetime = lead_lifetime;
  how.threads = 1;
  how.slow_query = {};
  leads_ = std::make_shared<backend>(std::move(how));
  if (state_->closed) leads_->stop();
  return leads_;
}

std::shared_ptr<replica_set> backend::replicas() {
  const std::lock_guard lock(mutex_);
  if (replicas_) return replicas_;
  std::vector<std::shared_ptr<backend>> all;
  for (const auto& place : state_->how.replicas) {
    auto how = state_->how;
    how.replicas.clear();
    how.place = place;
    all.push_back(std::make_shared<backend>(std::move(how)));
  }
  return replicas_ = std::make_shared<replica_set>(weak_from_this(), std::move(all));
}

data::database open(options how) {
  check_conninfo(how.connection);
  return data::database(std::make_shared<backend>(std::move(how)));
}

data::database open(std::string_view url) {
  auto how = parse_url(url).value();
  if (how.slow_query.count() > 0)
    throw failure(error{error_kind::invalid, "log_needed",
                        "slow_query is set, and slow statements have no log to go to: give "
                        "data::connect(url, drivers, log) one, or options::log, or leave slow_query out."});
  return open(std::move(how));
}

data::database open(std::string_view url, const logger& log) {
  auto how = parse_url(url).value();
  how.log = log;
  return open(std::move(how));
}

data::driver driver() {
  return {"postgres",
          [](std::string_view url, const logger* log) { return log ? open(url, *log) : open(url); },
          "postgresql"};
}

}  // namespace corbel::postgres
