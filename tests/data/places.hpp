#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include "corbel/data/postgres/postgres.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "corbel/testing/database.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

/// Where a database is, for processes that open it each for themselves and may be killed.
namespace places {

/// Only the tables of the tests: not our own record.
inline int tables(const corbel::data::database& db) {
  using corbel::testing::run;
  if (db.language().name == "sqlite")
    return *run(db.query_one<int>(
        "select count(*) from sqlite_master where type = 'table' and name <> 'corbel_migrations'"));
  return *run(
      db.query_one<int>("select count(*) from information_schema.tables where table_schema = "
                        "current_schema and table_name <> 'corbel_migrations'"));
}

struct place {
  virtual ~place() = default;
  virtual std::string url() const = 0;
  virtual corbel::data::database open() const = 0;
  /// Nothing is left of what was there.
  virtual void clear() const = 0;
  /// Returns when what a killed process began has ended, in whatever way.
  virtual void settle() const = 0;
};

struct file final : place {
  explicit file(std::string o) : options(std::move(o)) {}
  std::string url() const override { return "sqlite:" + (folder->path() / "x.db").string() + options; }
  corbel::data::database open() const override { return corbel::sqlite::open(url()); }
  void clear() const override { folder = std::make_unique<corbel::testing::temporary_folder>(); }
  void settle() const override {}
  const std::string options;
  mutable std::unique_ptr<corbel::testing::temporary_folder> folder =
      std::make_unique<corbel::testing::temporary_folder>();
};

struct server final : place {
  std::string url() const override { return own.url() + "?threads=1"; }
  corbel::data::database open() const override { return corbel::postgres::open(url()); }
  void clear() const override {
    settle();
    const auto db = open();
    corbel::testing::run(db.execute("drop schema public cascade"));
    corbel::testing::run(db.execute("create schema public"));
  }
  void settle() const override {
    const auto db = open();
    for (int tries = 0; tries < 1000; ++tries) {
      if (corbel::testing::run(db.query_one<int>(
              "select count(*) from pg_stat_activity where datname = current_database() and backend_type = "
              "'client backend' and pid <> pg_backend_pid()")) == 0)
        return;
      ::usleep(5000);
    }
    FAIL("a killed process's backend did not end within five seconds");
  }
  corbel::testing::temporary_postgres own;
};

/// Runs `test(place)` on each kind of database. `options` are those of SQLite's URL.
inline void each(const std::function<void(const place&)>& test, const std::string& options = "") {
  {
    CAPTURE("sqlite");
    test(file(options));
  }
  CAPTURE("postgres");
  test(server());
}

}  // namespace places
