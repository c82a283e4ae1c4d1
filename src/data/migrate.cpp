#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "corbel/data/migrations.hpp"
#include "data/transaction_state.hpp"

namespace corbel {

namespace data {

constexpr auto describe(tag<applied_migration>) {
  using namespace rules;
  using m = applied_migration;
  return object(field("version", &m::version), field("name", &m::name), field("checksum", &m::checksum),
                field("appliedAt", &m::applied_at), field("durationMs", &m::duration_ms));
}

namespace {

using applied_list = std::vector<applied_migration>;

std::string file_of(const applied_migration& done) {
  return migration{done.version, done.name, {}}.file();
}

error history_error(std::string code, std::string message) {
  return {error_kind::internal, std::move(code), std::move(message)};
}

error edited(const applied_migration& done, const migration& now) {
  return history_error("migration_edited",
                       "Migration " + file_of(done) + " was changed after it was applied on " +
                           to_text(done.applied_at) + ". Restore the file as it was then (SHA-256 " +
                           done.checksum + ", now " + now.checksum() +
                           ") and put the change into a new migration.");
}

error removed(const applied_migration& done) {
  return history_error("migration_missing",
                       "Migration " + file_of(done) + " was applied to this database on " +
                           to_text(done.applied_at) +
                           " but is not among the files. Restore the file, or run the newer program that "
                           "brought it.");
}

error out_of_order(const migration& late, const applied_migration& last) {
  return history_error("migration_out_of_order",
                       "Migration " + late.file() + " is new, but " + file_of(last) +
                           " with a higher number is applied already. Give the new file a number above " +
                           std::to_string(last.version) + ".");
}

/// The first way in which the history and the files disagree.
std::optional<error> disagreement(const applied_list& applied, const std::vector<migration>& files) {
  for (const auto& done : applied) {
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const migration& m) { return m.version == done.version; });
    if (file == files.end()) return removed(done);
    if (file->checksum() != done.checksum) return edited(done, *file);
  }
  if (applied.empty()) return {};
  for (const auto& file : files) {
    const bool is_applied = std::any_of(applied.begin(), applied.end(), [&](const applied_migration& done) {
      return done.version == file.version;
    });
    if (!is_applied && file.version < applied.back().version) return out_of_order(file, applied.back());
  }
  return {};
}

task<applied_list> read_history(source from) {
  co_return co_await from.query<applied_migration>(
      "select version, name, checksum, applied_at, duration_ms from corbel_migrations order by version");
}

task<void> make_table(source in) {
  co_await in.execute(
      "create table if not exists corbel_migrations (version bigint primary key not null, name text not "
      "null, "
      "checksum text not null, applied_at text not null, duration_ms bigint not null)");
}

/// One turn: under the lock, reads the history again and applies the next file; nothing when none is left.
task<result<std::optional<migration>>> apply_next(database db, const migration_set& set, const clock& time) {
  auto tx = co_await db.begin({.use = transaction_use::migrate});
  co_await make_table(tx);
  const auto applied = co_await read_history(tx);
  if (auto wrong = disagreement(applied, set.all())) co_return std::move(*wrong);
  const auto last = applied.empty() ? 0 : applied.back().version;
  const auto next =
      std::find_if(set.all().begin(), set.all().end(), [&](const migration& m) { return m.version > last; });
  if (next == set.all().end()) co_return std::optional<migration>();

  const auto started = time.steady();
  std::optional<error> failed;
  try {
    co_await tx.run_script(next->sql);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(time.steady() - started);
    co_await tx.execute("insert into corbel_migrations values ($1, $2, $3, $4, $5)", next->version,
                        next->name, next->checksum(), time.now(), static_cast<std::int64_t>(took.count()));
    co_await tx.commit();
  } catch (const failure& f) {
    failed = f.error();
  }
  if (failed)
    co_return history_error("migration_failed",
                            "Migration " + next->file() + " failed and left no trace: " +
                                (failed->cause().empty() ? failed->message() : failed->cause()) +
                                ". Mend the file and start again.");
  co_return std::optional<migration>(*next);
}

task<result<migration_status>> status_of(source in, const migration_set& set) {
  migration_status status;
  co_await make_table(in);
  status.applied = co_await read_history(in);
  if (auto wrong = disagreement(status.applied, set.all())) co_return std::move(*wrong);
  for (const auto& file : set.all())
    if (status.applied.empty() || file.version > status.applied.back().version)
      status.pending.push_back(file);
  co_return status;
}

}  // namespace

task<result<migration_status>> migrations_status(database db, migration_set set) {
  auto status = co_await status_of(db, set);
  co_return status;
}

task<result<std::vector<migration>>> migrate(database db, migration_set set, const clock& time) {
  std::vector<migration> applied;
  for (;;) {
    auto turn = co_await apply_next(db, set, time);
    if (!turn) co_return std::move(turn).error();
    if (!*turn) co_return applied;
    applied.push_back(std::move(**turn));
  }
}

std::vector<migration> migrate_now(const database& db, const migration_set& set) {
  boost::asio::io_context loop;
  std::vector<migration> applied;
  std::exception_ptr thrown;
  const auto all = [](database on, migration_set files, std::vector<migration>* into) -> task<void> {
    auto outcome = co_await migrate(std::move(on), std::move(files));
    *into = std::move(outcome).value();
  };
  boost::asio::co_spawn(loop, all(db, set, &applied), [&](std::exception_ptr e) { thrown = e; });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return applied;
}

}  // namespace data
}  // namespace corbel
