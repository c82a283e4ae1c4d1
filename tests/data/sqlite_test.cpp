#include "corbel/data/sqlite/sqlite.hpp"

#include <filesystem>

#include "corbel/testing/database.hpp"
#include "expect.hpp"

namespace data = corbel::data;
namespace sqlite = corbel::sqlite;
using corbel::error_kind;
using corbel::task;
using corbel::testing::run;
using corbel::testing::temporary_database;

namespace {

std::string setting(const data::database& db, const data::trusted& pragma) {
  return run(db.query_one<std::string>(pragma)).value_or("");
}

task<void> hold_while(data::database holder, data::database other, corbel::error& refused) {
  auto tx = co_await holder.begin();
  co_await tx.execute("insert into t values (1)");
  try {
    co_await other.execute("insert into t values (2)");
  } catch (const corbel::failure& f) {
    refused = f.error();
  }
  co_await tx.commit();
}

task<int> read_count(data::transaction& tx) {
  co_return (co_await tx.query_one<int>("select count(*) from t")).value_or(-1);
}
task<void> write_one(data::transaction& tx) {
  co_await tx.execute("insert into t values (1)");
}

}  // namespace

TEST_CASE("the file is in WAL mode, synced in full, with foreign keys") {
  const temporary_database own("");
  CHECK(setting(*own, data::trusted("pragma journal_mode")) == "wal");
  CHECK(run(own->query_one<int>("pragma synchronous")) == 2);
  CHECK(run(own->query_one<int>("pragma foreign_keys")) == 1);
  const temporary_database quick("synchronous=normal");
  CHECK(run(quick->query_one<int>("pragma synchronous")) == 1);
}

TEST_CASE("a database in memory is one for all who share the handle") {
  const auto db = sqlite::open("sqlite::memory:");
  run(db.execute("create table t (n integer)"));
  run(db.transact(&write_one));
  CHECK(run(db.query_one<int>("select n from t")) == 1);
  CHECK(run(db.transact_read_only(&read_count)) == 1);
  CHECK_THROWS_AS(run(db.transact_read_only(&write_one)), corbel::failure);
  run(db.transact(&write_one));
  CHECK(run(db.query_one<int>("select count(*) from t")) == 2);
  const auto other = sqlite::open("sqlite::memory:");
  CHECK(failure_of(other.query_one<int>("select n from t")).kind() == error_kind::internal);
}

TEST_CASE("prepared statements leave the cache and come back, and see a changed schema") {
  const temporary_database own("synchronous=off&statement_cache=2&readers=1");
  const auto& db = *own;
  run(db.execute("create table t (n integer)"));
  for (int round = 0; round < 3; ++round)
    for (int n = 1; n <= 5; ++n) {
      std::string sql = "select $1 + ";
      sql += std::to_string(n);
      CHECK(run(db.query_one<int>(data::trusted(sql), 10)) == 10 + n);
    }
  run(db.execute("insert into t values (1)"));
  struct fields {
    static std::size_t count(const data::database& d) {
      return run(d.runner()->run(data::statement("select * from t", {})))->column_count();
    }
  };
  CHECK(fields::count(db) == 1);
  run(db.execute("alter table t add column more text"));
  CHECK(fields::count(db) == 2);
}

TEST_CASE("a writer of another process is waited for, and then the database is busy") {
  const temporary_database own("synchronous=off");
  run(own->execute("create table t (n integer)"));
  const auto other = sqlite::open(own.url() + "&busy_timeout=30ms");
  corbel::error refused = corbel::internal_error("");
  run(hold_while(*own, other, refused));
  CHECK(refused.kind() == error_kind::unavailable);
  CHECK(refused.code() == "database_busy");
  CHECK(refused.retry_after() == std::chrono::seconds(1));
  run(other.execute("insert into t values (3)"));
  CHECK(run(own->query_one<int>("select count(*) from t")) == 2);
  other.stop();
}

TEST_CASE("a full disk is unavailable, and what was there stays") {
  const temporary_database own("synchronous=off");
  const auto& db = *own;
  run(db.execute("create table t (body text)"));
  run(db.execute("insert into t values ('kept')"));
  run(db.execute("pragma max_page_count = 8"));
  const auto full = failure_of(db.execute("insert into t values ($1)", std::string(1 << 20, 'x')));
  CHECK(full.kind() == error_kind::unavailable);
  CHECK(full.code() == "storage_full");
  CHECK(run(db.query<std::string>("select body from t")) == std::vector<std::string>{"kept"});
}

TEST_CASE("statements that begin transactions by hand are refused") {
  const temporary_database own("synchronous=off");
  const auto& db = *own;
  run(db.execute("create table t (n integer)"));
  CHECK(contains(failure_of(db.execute("begin")).cause(), "db.transact"));
  run(db.transact(&write_one));
  CHECK(run(db.transact_read_only(&read_count)) == 1);
}

TEST_CASE("statements that write after a common table expression go to the writer") {
  const temporary_database own("synchronous=off");
  const auto& db = *own;
  run(db.execute("create table t (n integer)"));
  CHECK(run(db.execute("-- a comment\nwith x(n) as (select 7) insert into t select n from x")) == 1);
  CHECK(run(db.query<int>("/* select */ insert into t values (8) returning n")) == std::vector<int>{8});
  CHECK(run(db.query<int>("with x as (select n from t) select n from x order by n")) ==
        std::vector<int>{7, 8});
  CHECK(run(db.query<int>("values (1), (2)")).size() == 2);
}

TEST_CASE("bytes are a value") {
  const temporary_database own("synchronous=off");
  const auto& db = *own;
  const data::blob bytes{std::byte{0}, std::byte{255}, std::byte{7}};
  CHECK(run(db.query_one<data::value>("select $1", bytes)) == data::value(bytes));
  CHECK(run(db.query_one<data::value>("select $1", data::blob{})) == data::value(data::blob{}));
  CHECK(run(db.query_one<std::string>("select hex($1)", bytes)) == "00FF07");
}

TEST_CASE("a stopped database refuses, and lets go of its file") {
  const temporary_database own("synchronous=off");
  const data::database db = *own;
  run(db.execute("create table t (n integer)"));
  db.stop();
  CHECK(failure_of(db.execute("insert into t values (1)")).kind() == error_kind::unavailable);
  const auto again = sqlite::open(own.url());
  CHECK(run(again.query_one<int>("select count(*) from t")) == 0);
  again.stop();
}
