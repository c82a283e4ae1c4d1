#include "data/migration_history.hpp"

#include <algorithm>

namespace corbel::data {

constexpr auto describe(tag<applied_migration>) {
  using namespace rules;
  using m = applied_migration;
  return object(field("version", &m::version), field("name", &m::name), field("checksum", &m::checksum),
                field("appliedAt", &m::applied_at), field("durationMs", &m::duration_ms));
}

namespace detail {
namespace {

error edited(const applied_migration& done, const migration& now) {
  return history_error("migration_edited",
                       "Migration " + file_of(done) + " was changed after it was applied on " +
                           corbel::to_text(done.applied_at) + ". Restore the file as it was then (SHA-256 " +
                           done.checksum + ", now " + now.checksum() +
                           ") and put the change into a new migration.");
}

error removed(const applied_migration& done) {
  return history_error("migration_missing",
                       "Migration " + file_of(done) + " was applied to this database on " +
                           corbel::to_text(done.applied_at) +
                           " but is not among the files. Restore the file, or run the newer program that "
                           "brought it.");
}

error out_of_order(const migration& late, const applied_migration& last) {
  return history_error("migration_out_of_order",
                       "Migration " + late.file() + " is new, but " + file_of(last) +
                           " with a higher number is applied already. Give the new file a number above " +
                           std::to_string(last.version) + ".");
}

task<bool> has_table(source in) {
  // Asked before, as a select from a table that is missing would end a transaction.
  const trusted sql{std::string(in.language().find_table)};
  const auto found = co_await in.query_one<std::int64_t>(sql, "corbel_migrations");
  co_return found.value_or(0) != 0;
}

}  // namespace

task<applied_list> read_history(source from) {
  applied_list applied;
  const bool there = co_await has_table(from);
  if (there)
    applied = co_await from.query<applied_migration>(
        "select version, name, checksum, applied_at, duration_ms from corbel_migrations order by version");
  co_return applied;
}

task<applied_list> open_history(source in) {
  // `if not exists` alone would ask for the right to create tables even when there is nothing to do.
  const bool there = co_await has_table(in);
  if (!there)
    co_await in.execute(
        "create table if not exists corbel_migrations (version bigint primary key not null, name text not "
        "null, checksum text not null, applied_at text not null, duration_ms bigint not null)");
  co_return co_await read_history(in);
}

task<void> restore_session(transaction* tx) {
  std::string script(tx->language().restore_session);
  if (!script.empty()) co_await tx->run_script(std::move(script));
}

std::optional<error> changed_history(const applied_list& applied, const std::vector<migration>& files) {
  for (const auto& done : applied) {
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const migration& m) { return m.version == done.version; });
    if (file == files.end()) return removed(done);
    if (file->checksum() != done.checksum) return edited(done, *file);
  }
  return {};
}

std::optional<error> disagreement(const applied_list& applied, const std::vector<migration>& files) {
  if (auto changed = changed_history(applied, files)) return changed;
  for (const auto& file : files) {
    const bool is_applied = std::any_of(applied.begin(), applied.end(), [&](const applied_migration& done) {
      return done.version == file.version;
    });
    if (!is_applied && file.version < last_version(applied)) return out_of_order(file, applied.back());
  }
  return {};
}

error history_error(std::string code, std::string message) {
  return {error_kind::internal, std::move(code), std::move(message)};
}

error failed_file(const std::string& file, bool no_transaction, const error& why) {
  const auto& what = why.cause().empty() ? why.message() : why.cause();
  if (is_commit_unknown(why))
    return history_error("migration_unknown", "Migration " + file +
                                                  " was cut off while it was being committed: " + what +
                                                  ". Start again, which finds out whether it is done.");
  if (no_transaction)
    return history_error("migration_failed", "Migration " + file + " failed: " + what +
                                                 ". It runs without a transaction, so the statements before "
                                                 "that one are done. Mend the file and start again: it runs "
                                                 "from its beginning.");
  return history_error("migration_failed", "Migration " + file + " failed and left no trace: " + what +
                                               ". Mend the file and start again.");
}

std::string file_of(const applied_migration& done) {
  return migration{done.version, done.name, {}}.file();
}

std::int64_t last_version(const applied_list& applied) {
  return applied.empty() ? 0 : applied.back().version;
}

}  // namespace detail
}  // namespace corbel::data
