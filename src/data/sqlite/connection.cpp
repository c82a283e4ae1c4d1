#include "data/sqlite/connection.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "data/sqlite/dialect.hpp"
#include "data/sqlite/errors.hpp"
#include "data/sqlite/stored_rows.hpp"

namespace corbel::sqlite {

using namespace std::chrono_literals;

struct connection::prepared {
  ~prepared() { sqlite3_finalize(handle); }
  std::string text;
  sqlite3_stmt* handle = nullptr;
  std::vector<std::size_t> parameter;  // which `$n` stands behind each of SQLite's own indexes
  std::size_t most = 0;
  stored_rows::names names;
  int reprepared = 0;
};

void connection::close_database::operator()(sqlite3* db) const noexcept {
  sqlite3_close_v2(db);
}

namespace {

namespace fs = std::filesystem;

/// What whoever starts the program can do about a file that is not to be had, as a sentence.
std::string advice_for_file(const fs::path& file) {
  std::error_code ignored;
  const auto folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (fs::is_directory(file, ignored)) return "It is a folder: name a file in it.";
  if (!fs::exists(folder, ignored))
    return "Its folder \"" + folder.string() + "\" does not exist: create it, or correct the path.";
  if (!fs::is_directory(folder, ignored))
    return "\"" + folder.string() + "\" is no folder: correct the path.";
  if (!fs::exists(file, ignored))
    return "This program may not create it: let it write into the folder \"" + folder.string() + "\".";
  if (::access(file.c_str(), R_OK | W_OK) != 0)
    return "This program may not write it: let it, or correct the path.";
  if (::access(folder.c_str(), W_OK) != 0)
    return "This program may not write into its folder, where SQLite keeps a log beside it: let it.";
  return "See that it is a SQLite database, whole, and that this program may write it and its folder.";
}

/// The path is for whoever starts the program, not for a client.
error unusable_file(const std::string& path, std::string_view done, std::string_view why,
                    const std::string& cause) {
  std::string text = "The database file \"" + path + "\" cannot be ";
  text.append(done).append(" (").append(why).append("). ").append(advice_for_file(path));
  if (!cause.empty()) text += " (" + cause + ')';
  return unavailable("The database is not available. Try again shortly.", "database_unavailable")
      .because(std::move(text));
}

}  // namespace

connection::connection(const options& how, role as) : how_(how), as_(as), busy_timeout_(how.busy_timeout) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(how.in_memory ? ":memory:" : how.path.c_str(), &opened, flags, nullptr);
  db_.reset(opened);
  if (code != SQLITE_OK)
    throw failure(unusable_file(how.path, "opened", opened ? sqlite3_errmsg(opened) : "out of memory", {}));
  try {
    configure(how);
  } catch (const failure& f) {
    if (f.error().kind() != error_kind::internal) throw;
    // A file that is there and is of something else, cut short, or read-only.
    throw failure(unusable_file(how.path, "used", sqlite3_errmsg(opened), f.error().cause()));
  }
}

connection::~connection() {
  by_text_.clear();
  recent_.clear();
}

void connection::configure(const options& how) {
  sqlite3_busy_handler(db_.get(), &on_busy, this);
  sqlite3_progress_handler(db_.get(), 1000, &on_progress, this);
  add_decimal_order(db_.get());
  // A misspelt "column" is an error, not a string.
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  execute("PRAGMA trusted_schema=OFF");
  execute("PRAGMA foreign_keys=ON");
  if (!how.in_memory && as_ == role::writer) switch_to_wal();
  constexpr const char* modes[] = {"PRAGMA synchronous=OFF", "PRAGMA synchronous=NORMAL",
                                   "PRAGMA synchronous=FULL", "PRAGMA synchronous=EXTRA"};
  execute(modes[static_cast<std::size_t>(how.synchronous)]);
  // The write-ahead log shrinks again after a burst.
  execute("PRAGMA journal_size_limit=67108864");
  if (as_ == role::reader) execute("PRAGMA query_only=ON");
}

void connection::switch_to_wal() {
  // Two processes that open a new file together: SQLite refuses one of them without asking its busy handler.
  const auto give_up = std::chrono::steady_clock::now() + busy_timeout_;
  for (;;) {
    try {
      return execute("PRAGMA journal_mode=WAL");
    } catch (const failure& f) {
      if (f.error().kind() != error_kind::unavailable || std::chrono::steady_clock::now() > give_up) throw;
    }
    std::this_thread::sleep_for(5ms);
  }
}

int connection::on_busy(void* self, int calls) {
  auto& me = *static_cast<connection*>(self);
  if (me.abandoned_ && me.abandoned_->requested()) return 0;
  const auto now = std::chrono::steady_clock::now();
  if (calls == 0) me.busy_since_ = now;
  const auto left = me.busy_timeout_ - (now - me.busy_since_);
  if (left <= 0ms) return 0;
  const auto pause = std::min<std::chrono::nanoseconds>(left, calls < 10 ? 1ms : calls < 30 ? 5ms : 25ms);
  std::this_thread::sleep_for(pause);
  return 1;
}

int connection::on_progress(void* self) {
  const auto& me = *static_cast<connection*>(self);
  return me.abandoned_ && me.abandoned_->requested();
}

void connection::fail(int code, std::string_view sql) const {
  throw failure(to_error(code, sqlite3_errmsg(db_.get()), sql));
}

void connection::execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
}

connection::prepared& connection::prepare(const data::statement& what) {
  if (const auto known = by_text_.find(what.text()); known != by_text_.end()) {
    recent_.splice(recent_.begin(), recent_, known->second);
    return *recent_.front();
  }
  auto fresh = std::make_unique<prepared>();
  fresh->text = what.text();
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), fresh->text.data(), static_cast<int>(fresh->text.size() + 1),
                                      SQLITE_PREPARE_PERSISTENT, &fresh->handle, &tail);
  if (code != SQLITE_OK) fail(code, fresh->text);
  if (!fresh->handle) throw failure(internal_error("this SQL has no statement: " + fresh->text));
  sqlite3_stmt* second = nullptr;
  if (sqlite3_prepare_v2(db_.get(), tail, -1, &second, nullptr) != SQLITE_OK || second) {
    sqlite3_finalize(second);
    throw failure(
        internal_error("a call runs one statement; put several into a transaction: " + fresh->text));
  }
  const int count = sqlite3_bind_parameter_count(fresh->handle);
  for (int i = 1; i <= count; ++i) {
    const char* named = sqlite3_bind_parameter_name(fresh->handle, i);
    const std::string_view name = named ? named : "";
    std::size_t number = 0;
    if (name.starts_with('$')) std::from_chars(name.data() + 1, name.data() + name.size(), number);
    if (number == 0)
      throw failure(internal_error("placeholders are $1, $2, ... and nothing else, in: " + fresh->text));
    fresh->parameter.push_back(number);
    fresh->most = std::max(fresh->most, number);
  }
  recent_.push_front(std::move(fresh));
  by_text_.emplace(recent_.front()->text, recent_.begin());
  if (recent_.size() > how_.statement_cache) {
    by_text_.erase(recent_.back()->text);
    recent_.pop_back();
  }
  return *recent_.front();
}

void connection::bind(prepared& ready, const data::statement& what) {
  const auto values = what.parameters();
  if (ready.most != values.size() || ready.parameter.size() != values.size())
    throw failure(internal_error("this SQL uses " + std::to_string(ready.parameter.size()) +
                                 " placeholders up to $" + std::to_string(ready.most) + " but was given " +
                                 std::to_string(values.size()) + " values: " + ready.text));
  for (std::size_t i = 0; i < ready.parameter.size(); ++i) {
    const int at = static_cast<int>(i + 1);
    const data::value& v = values[ready.parameter[i] - 1];
    int code = SQLITE_OK;
    // SQLITE_STATIC: the values outlive the run, and `run` clears the bindings.
    if (const auto* n = std::get_if<std::int64_t>(&v))
      code = sqlite3_bind_int64(ready.handle, at, *n);
    else if (const auto* d = std::get_if<double>(&v))
      code = sqlite3_bind_double(ready.handle, at, *d);
    else if (const auto* text = std::get_if<std::string>(&v))
      code = sqlite3_bind_text64(ready.handle, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    else if (const auto* bytes = std::get_if<data::blob>(&v))
      code = bytes->empty()
                 ? sqlite3_bind_zeroblob(ready.handle, at, 0)
                 : sqlite3_bind_blob64(ready.handle, at, bytes->data(), bytes->size(), SQLITE_STATIC);
    else
      code = sqlite3_bind_null(ready.handle, at);
    if (code != SQLITE_OK) fail(code, ready.text);
  }
}

namespace {

stored_rows::names read_names(sqlite3_stmt* handle) {
  auto all = std::make_shared<std::vector<std::string>>();
  const int count = sqlite3_column_count(handle);
  for (int i = 0; i < count; ++i) all->emplace_back(sqlite3_column_name(handle, i));
  return all;
}

void copy_row(sqlite3_stmt* handle, std::size_t columns, stored_rows& into) {
  for (std::size_t column = 0; column < columns; ++column) {
    const int i = static_cast<int>(column);
    const int type = sqlite3_column_type(handle, i);
    if (type == SQLITE_INTEGER) {
      into.add(std::int64_t{sqlite3_column_int64(handle, i)});
    } else if (type == SQLITE_FLOAT) {
      into.add(sqlite3_column_double(handle, i));
    } else if (type == SQLITE_TEXT) {
      const auto* text = sqlite3_column_text(handle, i);
      into.add(text, static_cast<std::size_t>(sqlite3_column_bytes(handle, i)), true);
    } else if (type == SQLITE_BLOB) {
      const void* bytes = sqlite3_column_blob(handle, i);
      into.add(bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle, i)), false);
    } else {
      into.add_null();
    }
  }
}

struct reset_at_end {
  sqlite3_stmt* handle;
  ~reset_at_end() {
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
  }
};

template <class T>
struct set_for_now {
  set_for_now(T& target, T value) : target_(target) { target = value; }
  ~set_for_now() { target_ = T{}; }
  T& target_;
};

}  // namespace

std::unique_ptr<data::result_set> connection::run(const data::statement& what, const abandonment* gone) {
  const set_for_now watch(abandoned_, gone);
  prepared& ready = prepare(what);
  const reset_at_end cleared{ready.handle};
  bind(ready, what);

  auto rows = std::make_unique<stored_rows>();
  const auto changes_before = sqlite3_total_changes64(db_.get());
  for (bool first = true;; first = false) {
    const int code = sqlite3_step(ready.handle);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code, ready.text);
    if (first) {
      // A changed schema prepares the statement anew, and `select *` may then have other columns.
      const int reprepared = sqlite3_stmt_status(ready.handle, SQLITE_STMTSTATUS_REPREPARE, 0);
      if (!ready.names || reprepared != ready.reprepared) ready.names = read_names(ready.handle);
      ready.reprepared = reprepared;
      rows->set_names(ready.names);
    }
    if (code == SQLITE_DONE) break;
    copy_row(ready.handle, ready.names->size(), *rows);
  }
  // Statements that change no rows leave the count of the one before.
  if (sqlite3_total_changes64(db_.get()) != changes_before) rows->set_affected(sqlite3_changes64(db_.get()));
  return rows;
}

namespace {

struct script_guard {
  bool preparing = false;
  bool bare = false;

  /// What a statement does by itself, as VACUUM begins a transaction, it does when it runs.
  static int judge(void* self, int action, const char*, const char*, const char*, const char*) {
    const auto& me = *static_cast<script_guard*>(self);
    const bool refused = action == SQLITE_TRANSACTION || (me.bare && action == SQLITE_SAVEPOINT);
    return me.preparing && refused ? SQLITE_DENY : SQLITE_OK;
  }
};

}  // namespace

void connection::run_script(std::string_view script) {
  const std::string text(script);
  script_guard guard{.bare = bare_};
  struct unset_authorizer {
    sqlite3* db;
    ~unset_authorizer() { sqlite3_set_authorizer(db, nullptr, nullptr); }
  } const at_end{db_.get()};
  sqlite3_set_authorizer(db_.get(), &script_guard::judge, &guard);

  const char* at = text.c_str();
  while (*at != '\0') {
    sqlite3_stmt* handle = nullptr;
    const char* tail = nullptr;
    guard.preparing = true;
    int code = sqlite3_prepare_v2(db_.get(), at, -1, &handle, &tail);
    guard.preparing = false;
    while (code == SQLITE_OK && handle && (code = sqlite3_step(handle)) == SQLITE_ROW) code = SQLITE_OK;
    if (code == SQLITE_DONE) code = SQLITE_OK;
    const std::string message = code == SQLITE_OK ? "" : sqlite3_errmsg(db_.get());
    sqlite3_finalize(handle);
    if (code != SQLITE_OK) {
      while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') ++at;
      const auto line = std::count(text.c_str(), at, '\n') + 1;
      const std::string hint =
          code != SQLITE_AUTH ? ""
          : bare_ ? "; this script runs without a transaction: take BEGIN, COMMIT and SAVEPOINT out"
                  : "; a script runs in a transaction already: take BEGIN, COMMIT and ROLLBACK out";
      throw failure(to_error(code, message + hint, "the statement at line " + std::to_string(line)));
    }
    at = tail;
  }
}

void connection::lock_migrations(const abandonment* gone) {
  const char* file = sqlite3_db_filename(db_.get(), "main");
  if (!file || *file == '\0') return;  // in memory: nobody else has it
  // Another runner may be at work for as long as its migrations take.
  const auto patience = std::max<std::chrono::milliseconds>(busy_timeout_, 5min);
  migrating_.emplace(std::string(file) + "-migrate", patience, gone);
}

void connection::begin(data::transaction_use use, const abandonment* gone) {
  const set_for_now watch(abandoned_, gone);
  if (use == data::transaction_use::migrate || use == data::transaction_use::migrate_bare)
    lock_migrations(gone);
  bare_ = use == data::transaction_use::migrate_bare;
  if (bare_) return;
  if (use == data::transaction_use::read) {
    if (as_ == role::writer) {
      read_only_ = true;
      execute("PRAGMA query_only=ON");
    }
    return execute("BEGIN");
  }
  if (use == data::transaction_use::migrate) {
    // Rebuilding a table drops the old one, which with foreign keys on deletes the rows that refer to it.
    foreign_keys_off_ = true;
    execute("PRAGMA foreign_keys=OFF");
    // Programs that write wait for the lock, too, but who migrates may wait longer.
    const auto usual = std::exchange(busy_timeout_, std::max<std::chrono::milliseconds>(busy_timeout_, 5min));
    const int code = sqlite3_exec(db_.get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    busy_timeout_ = usual;
    if (code != SQLITE_OK) fail(code, "BEGIN IMMEDIATE");
    return;
  }
  execute("BEGIN IMMEDIATE");
}

void connection::commit() {
  if (bare_) return reset();
  if (!in_transaction())
    throw failure(internal_error("the database ended the transaction by itself; nothing of it was kept"));
  if (foreign_keys_off_) {
    const auto broken = run(data::statement("PRAGMA foreign_key_check", {}));
    if (broken->row_count() > 0)
      throw failure(internal_error(
          "rows of table \"" + std::string(std::get<std::string_view>(broken->at(0, 0))) +
          "\" would refer to rows that do not exist (" + std::to_string(broken->row_count()) + " in all)"));
  }
  execute("COMMIT");
  migrating_.reset();
}

bool connection::in_transaction() const noexcept {
  return sqlite3_get_autocommit(db_.get()) == 0;
}

bool connection::needs_reset() const noexcept {
  return in_transaction() || foreign_keys_off_ || read_only_ || bare_ || migrating_.has_value();
}

void connection::reset() noexcept {
  if (in_transaction()) sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  if (foreign_keys_off_) sqlite3_exec(db_.get(), "PRAGMA foreign_keys=ON", nullptr, nullptr, nullptr);
  if (read_only_) sqlite3_exec(db_.get(), "PRAGMA query_only=OFF", nullptr, nullptr, nullptr);
  foreign_keys_off_ = false;
  read_only_ = false;
  if (bare_) {
    try {
      configure(how_);
    } catch (const failure&) {  // another process is in the way of a setting that is as it was, mostly
    }
  }
  bare_ = false;
  migrating_.reset();
}

}  // namespace corbel::sqlite
