#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "corbel/data/driver.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "data/sqlite/migration_lock.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace corbel::sqlite {

enum class role : std::uint8_t { writer, reader };

/// One connection to the file. Used by one thread at a time; `mutex` keeps it so. Its functions block, and
/// throw `failure`.
class connection {
 public:
  connection(const options& how, role as);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  std::unique_ptr<data::result_set> run(const data::statement& what, const abandonment* gone = nullptr);
  /// Statement by statement; a failure says at which line. Transaction statements are refused, and without a
  /// transaction savepoints, which would begin one.
  void run_script(std::string_view script);

  void begin(data::transaction_use use, const abandonment* gone);
  void commit();
  /// Back to the state of a fresh connection.
  void reset() noexcept;
  bool needs_reset() const noexcept;
  bool in_transaction() const noexcept;
  /// Between `begin` for a bare migration and `commit`.
  bool is_bare() const noexcept { return bare_; }

  std::mutex mutex;

 private:
  struct prepared;
  struct close_database {
    void operator()(sqlite3* db) const noexcept;
  };

  void configure(const options& how);
  void lock_migrations(const abandonment* gone);
  void switch_to_wal();
  void execute(const char* sql);
  prepared& prepare(const data::statement& what);
  void bind(prepared& ready, const data::statement& what);
  [[noreturn]] void fail(int code, std::string_view sql) const;
  static int on_busy(void* self, int calls);
  static int on_progress(void* self);

  const options how_;
  const role as_;
  std::unique_ptr<sqlite3, close_database> db_;
  std::list<std::unique_ptr<prepared>> recent_;  // most recently used first
  std::unordered_map<std::string_view, std::list<std::unique_ptr<prepared>>::iterator> by_text_;
  std::chrono::milliseconds busy_timeout_;
  std::chrono::steady_clock::time_point busy_since_;
  const abandonment* abandoned_ = nullptr;
  bool foreign_keys_off_ = false;
  bool read_only_ = false;
  bool bare_ = false;
  std::optional<migration_lock> migrating_;
};

}  // namespace corbel::sqlite
