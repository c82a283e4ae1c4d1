#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/clock.hpp>
#include <corbel/base/result.hpp>
#include <corbel/data/database.hpp>

namespace corbel::data {

/// One step of the schema: the file `0001_create_projects.sql`, and what undoes it, if anything does.
struct migration {
  std::int64_t version = 0;  ///< 1
  std::string name;          ///< "create_projects"
  std::string sql;
  std::optional<std::string> down = {};  ///< the text of `0001_create_projects.down.sql`

  /// "0001_create_projects.sql"
  std::string file() const;
  /// "0001_create_projects.down.sql"
  std::string down_file() const;
  /// SHA-256 of `sql` in lower-case hexadecimal. CR LF counts as LF: a checkout may change line ends. The
  /// down file may change at any time.
  std::string checksum() const;
  /// Whether `sql` has the line `-- corbel: no-transaction` before its first statement.
  bool no_transaction() const;
  /// The same of `down`.
  bool down_no_transaction() const;
};

/// Migrations in order of version. `corbel_embed_migrations(target folder)` in CMake builds a folder of them
/// into a program: `#include "embedded/<folder>.hpp"` and `embedded::<folder>()`.
class migration_set {
 public:
  migration_set() = default;
  /// Reads every `NNNN_name.sql` (4 to 18 digits, then a-z 0-9 _) and `NNNN_name.down.sql` of a folder.
  /// Throws `failure`, with a message for the operator, when the folder cannot be read or has folders by
  /// dialect, another .sql file is in it, two files share a version, or `add` refuses one.
  static migration_set from_folder(const std::filesystem::path& folder);
  /// The same for a folder that may have one folder more for each dialect, such as `postgres` and `sqlite`:
  /// gives its own files and those for `of`. Throws when there are such folders but none for `of`.
  static migration_set from_folder(const std::filesystem::path& folder, const dialect& of);

  /// The same for one file, such as an embedded one; a down file comes after the file it undoes. Throws when
  /// the name or the version is not right, a line of its beginning looks like an instruction to Corbel and is
  /// none, or CREATE INDEX CONCURRENTLY could not be repeated after an interruption.
  migration_set& add(std::string_view file, std::string sql);

  const std::vector<migration>& all() const noexcept { return all_; }

 private:
  void add_down(std::string_view file, std::int64_t version, std::string_view name, std::string sql);
  void read(const std::filesystem::path& folder);

  std::vector<migration> all_;
};

/// What the database says about one migration.
struct applied_migration {
  std::int64_t version = 0;
  std::string name;
  std::string checksum;
  timestamp applied_at{};
  std::int64_t duration_ms = 0;
};

struct migration_status {
  std::vector<applied_migration> applied;
  std::vector<migration> pending;
};

/// A table for a terminal: version, name, when it was applied (or "pending") and how long that took.
std::string to_text(const migration_status& status);

/// What is applied and what is not. It only reads: a user who may do nothing else may ask, before the first
/// migration, too. The error, written for the operator, says how to mend a history that does not match the
/// files: one was edited, removed, or numbered below what is applied.
task<result<migration_status>> migrations_status(database db, migration_set set);

/// What `migrate` would run, as SQL with each file's name in a comment. Reads only, and fails as the status
/// does.
task<result<std::string>> migrations_plan(database db, migration_set set);

/// Applies what is pending, each file in one transaction together with its record in `corbel_migrations`, and
/// gives what it applied. Safe to run from several processes at once: they take turns. Stops with an error
/// for the operator at a history that does not match, or at a file that fails; the files before it stay
/// applied and the failed one left no trace.
///
/// A `no_transaction()` file runs statement by statement under the same lock, and is recorded after its last
/// one. Interrupted in between it runs again from its beginning: its statements have to bear that.
task<result<std::vector<migration>>> migrate(database db, migration_set set,
                                             const clock& time = system_clock());

/// Undoes what is applied above `to_version` (0: everything) by its down files, newest first, each in one
/// transaction together with the removal of its record, or bare when the down file says so; gives what it
/// undid. An error before anything is done when one of them has no down file. What a down file drops is lost.
task<result<std::vector<migration>>> migrate_down(database db, migration_set set, std::int64_t to_version);

/// `migrate` on an event loop of its own: for `main`, before the server starts. Throws `failure`.
std::vector<migration> migrate_now(const database& db, const migration_set& set);

namespace detail {
/// What embedded code throws when none of its `folders`, a list for a person, is for `of`.
[[noreturn]] void refuse_dialect(std::string_view folder, std::string_view folders, const dialect& of);
}  // namespace detail

}  // namespace corbel::data
