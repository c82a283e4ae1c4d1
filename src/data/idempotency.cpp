#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "corbel/data/constraint.hpp"
#include "corbel/data/database.hpp"

namespace corbel::data::detail {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// How long a database that was just lost is asked what became of a transaction.
constexpr auto patience = 5s;
constexpr auto pause_between = 100ms;

struct undone_origin final : error_origin, transient_origin {};

error undone() {
  return unavailable("The connection to the database was lost before this was stored. Try again.",
                     "commit_lost")
      .retry_after(1s)
      .because("the connection was lost at COMMIT, and the transaction's key shows that it was not made")
      .from(std::make_shared<const undone_origin>());
}

/// Whether a transaction with this key was committed. Storing the key once more waits for one that still is
/// under way; it is not kept.
task<bool> was_made(source from, std::string key) {
  auto tx = co_await from.begin();
  const auto stored = co_await tx.execute(
      "insert into corbel_idempotency_keys (key) values ($1) on conflict do nothing", key);
  tx.rollback();
  co_return stored == 0;
}

}  // namespace

task<void> record_key(transaction* tx, std::string key) {
  if (key.empty()) co_return;
  std::optional<error> used;
  try {
    co_await tx->execute("insert into corbel_idempotency_keys (key) values ($1)", key);
  } catch (const failure& f) {
    const auto* broken = constraint_of(f.error());
    if (!broken || broken->kind != constraint_kind::unique) throw;
    used = conflict("A request with this idempotency key was carried out already.", "idempotency_key_used");
  }
  if (used) throw failure(std::move(*used));
}

task<void> settle(transaction* tx, source from, std::string key) {
  std::optional<error> open;
  try {
    co_await tx->commit();
  } catch (const failure& f) {
    if (key.empty() || !is_commit_unknown(f.error())) throw;
    open = f.error();
  }
  if (!open) co_return;
  const auto give_up = std::chrono::steady_clock::now() + patience;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (std::chrono::steady_clock::now() < give_up) {
    std::optional<bool> made;
    try {
      made = co_await was_made(from, key);
    } catch (const failure& f) {
      if (f.error().kind() != error_kind::unavailable) throw;
    }
    if (made && *made) co_return;
    if (made) throw failure(undone());
    timer.expires_after(pause_between);
    co_await timer.async_wait(asio::use_awaitable);
  }
  throw failure(std::move(*open));
}

}  // namespace corbel::data::detail
