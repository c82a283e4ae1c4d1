#include "data/postgres/upkeep.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "data/postgres/names.hpp"

namespace corbel::postgres {

namespace asio = boost::asio;

namespace {

error extension_needed(const std::string& name, const std::string& what_to_do) {
  return {error_kind::invalid, "extension_needed",
          "This program needs the Postgres extension \"" + name + "\". " + what_to_do};
}

/// Processes that began together shall not stay together.
task<void> pause(std::chrono::milliseconds about) {
  thread_local std::minstd_rand random{std::random_device()()};
  std::uniform_int_distribution<std::int64_t> any(about.count() * 9 / 10, about.count() * 11 / 10);
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(any(random)));
  co_await timer.async_wait(asio::use_awaitable);
}

/// For as long as we are the one who refreshes: the lock goes with its transaction, which does nothing else.
/// Gives false when somebody else is.
task<bool> refresh_as_leader(data::database on, data::database leads, std::string view,
                             const refresh_schedule* how) {
  auto lead = co_await leads.begin();
  const auto mine = co_await lead.query_one<int>(
      "select pg_try_advisory_xact_lock(hashtextextended($1, 7813584))::int "
      "from set_config('idle_in_transaction_session_timeout', '0', true)",
      view);
  if (mine != 1) co_return false;
  for (;;) {
    std::optional<error> failed;
    try {
      co_await refresh_on(on, view, how->concurrently);
    } catch (const failure& f) {
      failed = f.error();
    }
    if (failed && how->on_error) how->on_error(*failed);
    co_await pause(how->every);
    co_await lead.execute("select 1");  // throws when the lock is gone with its connection
  }
}

}  // namespace

task<void> require_extension_on(data::database on, std::string name) {
  const auto installed =
      co_await on.query_one<int>("select 1 from pg_catalog.pg_extension where extname = $1", name);
  if (installed) co_return;
  const auto at_hand =
      co_await on.query_one<int>("select 1 from pg_catalog.pg_available_extensions where name = $1", name);
  if (at_hand)
    throw failure(extension_needed(name, "The server has it: run `create extension " +
                                             quoted_name(name, "an extension") +
                                             "` in this database, such as in a migration."));
  throw failure(extension_needed(
      name,
      "This server does not have it: install its package there, or use a server that offers it; then run "
      "`create extension " +
          quoted_name(name, "an extension") + "` in this database."));
}

task<void> refresh_on(data::database on, std::string view, bool concurrently) {
  const data::trusted sql(std::string("refresh materialized view ") + (concurrently ? "concurrently " : "") +
                          quoted_path(view, "a view"));
  co_await on.execute(sql);
}

task<void> refresh_for_ever(data::database on, data::database leads, std::string view, refresh_schedule how) {
  (void)quoted_path(view, "a view");
  for (;;) {
    std::optional<error> failed;
    try {
      (void)co_await refresh_as_leader(on, leads, view, &how);
    } catch (const failure& f) {
      failed = f.error();
    }
    if (failed && how.on_error) how.on_error(*failed);
    co_await pause(how.every);
  }
}

task<nlohmann::json> detail::explain_on(data::database on, data::statement what) {
  auto tx = co_await on.begin();  // never committed: what ANALYZE did is undone
  auto sql = "explain (analyze, buffers, format json) " + std::string(what.text());
  auto statement = data::statement::owning(std::move(sql), what.owned_parameters());
  const auto rows = co_await tx.runner()->run(std::move(statement));
  const auto text = data::one_as<std::string>(*rows);
  auto plan = nlohmann::json::parse(text.value_or("[]"), nullptr, false);
  if (!plan.is_array() || plan.empty()) throw failure(internal_error("the server gave no plan for this SQL"));
  co_return std::move(plan[0]);
}

}  // namespace corbel::postgres
