#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "corbel/base/uuid.hpp"
#include "corbel/data/constraint.hpp"
#include "corbel/data/database.hpp"

namespace corbel::data::detail {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// How long a database that was just lost is asked what became of a transaction.
constexpr auto insert_patience = 5s;
constexpr auto pause_between = 100ms;

/// In bytes. More than that no client needs, and an index does not hold a long one.
constexpr std::size_t longest_key = 255;

struct undone_origin final : error_origin, transient_origin {};

error undone() {
  return unavailable("The connection to the database was lost before this was stored. Try again.",
                     "commit_lost")
      .retry_after(1s)
      .because("the connection was lost at COMMIT, and the transaction's key shows that it was not made")
      .from(std::make_shared<const undone_origin>());
}

error used() {
  return conflict("A request with this idempotency key was carried out already.", "idempotency_key_used");
}

error with_hint(error e) {
  auto cause = e.cause() +
               "; once_for keeps its keys in a table: create table corbel_idempotency_keys (key text primary "
               "key, attempt text not null)";
  return std::move(e).because(std::move(cause));
}

/// Whose attempt with a key was committed.
enum class maker { nobody, we, somebody };

/// Storing the key once more waits for a transaction with it that still is under way; it is not kept. The
/// same key may be there by the client's next request, which found the place free as ours was undone.
task<maker> who_made(source from, std::string key, std::string attempt) {
  auto tx = co_await from.begin();
  const auto stored = co_await tx.execute(
      "insert into corbel_idempotency_keys (key, attempt) values ($1, $2) on conflict do nothing", key,
      attempt);
  auto by = maker::nobody;
  if (stored == 0) {
    const auto ours = co_await tx.query_one<int>(
        "select count(*) from corbel_idempotency_keys where key = $1 and attempt = $2", key, attempt);
    by = ours == 1 ? maker::we : maker::somebody;
  }
  tx.rollback();
  co_return by;
}

}  // namespace

task<std::string> record_key(transaction* tx, std::string key) {
  if (key.empty()) co_return std::string();
  if (key.size() > longest_key)
    throw failure(malformed("The idempotency key is longer than 255 bytes.", "bad_idempotency_key"));
  auto attempt = to_text(uuid::v7());
  std::optional<error> failed;
  try {
    co_await tx->execute("insert into corbel_idempotency_keys (key, attempt) values ($1, $2)", key, attempt);
  } catch (const failure& f) {
    failed = f.error();
  }
  if (!failed) co_return attempt;
  const auto* broken = constraint_of(*failed);
  if (broken && broken->kind == constraint_kind::unique) throw failure(used());
  if (failed->kind() == error_kind::internal) throw failure(with_hint(std::move(*failed)));
  throw failure(std::move(*failed));
}

task<void> settle(transaction* tx, source from, std::string key, std::string attempt) {
  std::optional<error> open;
  try {
    co_await tx->commit();
  } catch (const failure& f) {
    if (key.empty() || !is_commit_unknown(f.error())) throw;
    open = f.error();
  }
  if (!open) co_return;
  const auto give_up = std::chrono::steady_clock::now() + insert_patience;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (std::chrono::steady_clock::now() < give_up) {
    std::optional<maker> by;
    try {
      by = co_await who_made(from, key, attempt);
    } catch (const failure& f) {
      if (f.error().kind() != error_kind::unavailable) throw;
    }
    if (by == maker::we) co_return;
    if (by == maker::somebody) throw failure(used());
    if (by == maker::nobody) throw failure(undone());
    timer.expires_after(pause_between);
    co_await timer.async_wait(asio::use_awaitable);
  }
  throw failure(std::move(*open));
}

}  // namespace corbel::data::detail
