#include <algorithm>

#include "corbel/data/migrations.hpp"
#include "data/migration_header.hpp"
#include "data/migration_history.hpp"
#include "data/migration_turn.hpp"

namespace corbel::data {

using namespace detail;

namespace {

const migration& file_for(const applied_migration& done, const migration_set& set) {
  return *std::find_if(set.all().begin(), set.all().end(),
                       [&](const migration& m) { return m.version == done.version; });
}

/// The newest one that nothing can undo.
std::optional<error> no_way_down(const applied_list& applied, const migration_set& set, std::int64_t to) {
  for (auto done = applied.rbegin(); done != applied.rend() && done->version > to; ++done) {
    const auto& file = file_for(*done, set);
    if (!file.down)
      return history_error("migration_irreversible",
                           "Migration " + file.file() +
                               " cannot be undone: it has no down file. Nothing was undone. Write " +
                               file.down_file() + " beside it, or go no further down than to " +
                               std::to_string(file.version) + ".");
  }
  return {};
}

task<void> undo(transaction& tx, const migration& last) {
  co_await tx.run_script(std::string(without_mark(*last.down)));
  co_await restore_session(&tx);
  co_await tx.execute("delete from corbel_migrations where version = $1", last.version);
  co_await tx.commit();
}

/// Under the lock, reads the history again and undoes the last migration above `to`.
task<result<turn>> undo_last(database db, const migration_set& set, std::int64_t to, transaction_use use) {
  const transaction_mode mode{.use = use};
  auto tx = co_await db.begin(mode);
  const auto applied = co_await read_history(tx);
  if (auto wrong = changed_history(applied, set.all())) co_return std::move(*wrong);
  if (auto wrong = no_way_down(applied, set, to)) co_return std::move(*wrong);
  turn taken;
  const bool bare = use == transaction_use::migrate_bare;
  const bool none = last_version(applied) <= to;
  if (none || file_for(applied.back(), set).down_no_transaction() != bare) {
    taken.other_use = !none;
    co_await tx.commit();
    co_return taken;
  }

  const auto& last = file_for(applied.back(), set);
  std::optional<error> failed;
  try {
    co_await undo(tx, last);
  } catch (const failure& f) {
    failed = failed_file(last.down_file(), bare, f.error());
  }
  if (failed) co_return std::move(*failed);
  taken.done = last;
  co_return taken;
}

}  // namespace

task<result<std::vector<migration>>> migrate_down(database db, migration_set set, std::int64_t to_version) {
  if (to_version < 0)
    co_return history_error("bad_version", "There is no version " + std::to_string(to_version) +
                                               " to go down to. 0 undoes every migration.");
  const auto take = [&](transaction_use use) { return undo_last(db, set, to_version, use); };
  co_return co_await take_turns(std::cref(take));
}

}  // namespace corbel::data
