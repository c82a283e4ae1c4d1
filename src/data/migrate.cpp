#include <algorithm>
#include <chrono>

#include "corbel/data/migrations.hpp"
#include "data/migration_header.hpp"
#include "data/migration_history.hpp"
#include "data/migration_turn.hpp"
#include "data/run_now.hpp"

namespace corbel::data {

using namespace detail;

namespace {

task<void> apply(transaction& tx, const migration& next, const clock& time) {
  const auto started = time.steady();
  co_await tx.run_script(std::string(without_mark(next.sql)));
  co_await restore_session(&tx);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(time.steady() - started);
  co_await tx.execute(
      "insert into corbel_migrations (version, name, checksum, applied_at, duration_ms) "
      "values ($1, $2, $3, $4, $5)",
      next.version, next.name, next.checksum(), time.now(), static_cast<std::int64_t>(took.count()));
  co_await tx.commit();
}

/// Under the lock, reads the history again and applies the next file.
task<result<turn>> apply_next(database db, const migration_set& set, const clock& time, transaction_use use) {
  const transaction_mode mode{.use = use};
  auto tx = co_await db.begin(mode);
  const auto applied = co_await open_history(tx);
  if (auto wrong = disagreement(applied, set.all())) co_return std::move(*wrong);
  const auto next = std::find_if(set.all().begin(), set.all().end(),
                                 [&](const migration& m) { return m.version > last_version(applied); });
  turn taken;
  const bool none = next == set.all().end();
  const bool bare = use == transaction_use::migrate_bare;
  if (none || next->no_transaction() != bare) {
    taken.other_use = !none;
    // The table may be new; and the lock is free as soon as this returns.
    co_await tx.commit();
    co_return taken;
  }

  std::optional<error> failed;
  try {
    co_await apply(tx, *next, time);
  } catch (const failure& f) {
    failed = failed_file(next->file(), bare, f.error());
  }
  if (failed) co_return std::move(*failed);
  taken.done = *next;
  co_return taken;
}

task<migration_status> read_status(source in, const migration_set& set) {
  migration_status status;
  status.applied = co_await read_history(in);
  for (const auto& file : set.all())
    if (file.version > last_version(status.applied)) status.pending.push_back(file);
  co_return status;
}

}  // namespace

task<result<migration_status>> migrations_status(database db, migration_set set) {
  const transaction_mode one_view{.use = transaction_use::read};
  auto tx = co_await db.begin(one_view);
  auto status = co_await read_status(tx, set);
  co_await tx.commit();
  if (auto wrong = disagreement(status.applied, set.all())) co_return std::move(*wrong);
  co_return status;
}

task<result<std::vector<migration>>> migrate(database db, migration_set set, const clock& time) {
  const auto take = [&](transaction_use use) { return apply_next(db, set, time, use); };
  co_return co_await take_turns(std::cref(take));
}

std::vector<migration> migrate_now(const database& db, const migration_set& set) {
  return run_now(migrate(db, set)).value();
}

}  // namespace corbel::data
