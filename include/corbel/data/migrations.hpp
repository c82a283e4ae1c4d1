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

/// One step of the schema: the file `0001_create_projects.sql`.
struct migration {
  std::int64_t version = 0;  ///< 1
  std::string name;          ///< "create_projects"
  std::string sql;

  /// "0001_create_projects.sql"
  std::string file() const;
  /// SHA-256 of the text in lower-case hexadecimal. CR LF counts as LF: a checkout may change line ends.
  std::string checksum() const;
};

/// Migrations in order of version. `corbel_embed_migrations(target folder)` in CMake builds a folder of them
/// into a program: `#include "embedded/<folder>.hpp"` and `embedded::<folder>()`.
class migration_set {
 public:
  migration_set() = default;
  /// Reads every `NNNN_name.sql` (4 to 18 digits, then a-z 0-9 _) of a folder. Throws `failure`, with a
  /// message for the operator, when the folder cannot be read, another .sql file is in it, or two files share
  /// a version.
  static migration_set from_folder(const std::filesystem::path& folder);

  /// The same for one file, such as an embedded one.
  migration_set& add(std::string_view file, std::string sql);

  const std::vector<migration>& all() const noexcept { return all_; }

 private:
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

/// What is applied and what is not. The error, written for the operator, says how to mend a history that does
/// not match the files: one was edited, removed, or numbered below what is applied.
task<result<migration_status>> migrations_status(database db, migration_set set);

/// Applies what is pending, each file in one transaction together with its record in `corbel_migrations`, and
/// gives what it applied. Safe to run from several processes at once: they take turns. Stops with an error
/// for the operator at a history that does not match, or at a file that fails; the files before it stay
/// applied and the failed one left no trace.
task<result<std::vector<migration>>> migrate(database db, migration_set set,
                                             const clock& time = system_clock());

/// The same, on an event loop of its own: for `main`, before the server starts. Throws `failure`.
std::vector<migration> migrate_now(const database& db, const migration_set& set);

}  // namespace corbel::data
