// What migrations meet in Postgres alone: files that leave the session with other names and rights, and locks
// that others hold.

#include "corbel/data/migrations.hpp"

#include "support/tasks.hpp"

namespace {

const std::string bare = "-- corbel: no-transaction\n";

/// A role that may do nothing, in a database that has a schema more.
void prepare(const data::database& db) {
  run(
      db.execute("do $$ begin create role corbel_nobody; exception when duplicate_object or unique_violation "
                 "then null; end $$"));
  run(db.execute("create schema app"));
  // Where a record would land that is written by its name alone.
  run(
      db.execute("create table app.corbel_migrations (version bigint, name text, checksum text, applied_at "
                 "text, duration_ms bigint)"));
}

}  // namespace

TEST_CASE("a file may leave the session with other names and rights: its record is written by who began") {
  for (const std::string& header : {std::string(), bare})
    for (const std::string leaves : {"select pg_catalog.set_config('search_path', '', false);",
                                     "set search_path to app;", "set local search_path to app;",
                                     "set role corbel_nobody;", "set session authorization corbel_nobody;"}) {
      CAPTURE(header);
      CAPTURE(leaves);
      const temporary_postgres own;
      prepare(*own);
      data::migration_set set;
      set.add("0001_a.sql", header + "create table if not exists public.a (n int);\n" + leaves);
      set.add("0001_a.down.sql", header + "drop table public.a;\n" + leaves);
      set.add("0002_b.sql", "create table b (n int);").add("0002_b.down.sql", "drop table b;");

      const auto applied = run(data::migrate(*own, set));
      REQUIRE_MESSAGE(applied, applied.error().message());
      CHECK(one<int>(*own, "select count(*) from public.corbel_migrations") == 2);
      CHECK(one<int>(*own, "select count(*) from app.corbel_migrations") == 0);
      CHECK(one<int>(*own, "select count(*) from public.b") == 0);
      const auto undone = run(data::migrate_down(*own, set, 0));
      REQUIRE_MESSAGE(undone, undone.error().message());
      CHECK(undone->size() == 2);
      CHECK(one<int>(*own, "select count(*) from public.corbel_migrations") == 0);
      CHECK(one<std::string>(*own, "select current_setting('search_path') || current_user || session_user") ==
            "\"$user\", publiccorbelcorbel");
    }
}

namespace {

/// Nobody gives way: the file waits for its lock until the session will not.
task<std::string> alter_behind_a_reader(data::database db, std::string sql) {
  data::migration_set set;
  set.add("0001_a.sql", std::move(sql));
  auto reader = co_await db.begin();
  (void)co_await reader.query<int>("select n from busy");
  const auto outcome = co_await data::migrate(db, std::move(set));
  reader.rollback();
  co_return outcome ? std::string() : outcome.error().message();
}

}  // namespace

TEST_CASE("a migration waits for its locks as long as its role or its file lets it") {
  const temporary_postgres own;
  run(own->execute("create table busy (n int)"));
  const auto given_up = run(
      alter_behind_a_reader(*own, "set local lock_timeout = '20ms';\nalter table busy add column m int;"));
  CHECK(contains(given_up, "0001_a.sql failed and left no trace"));
  CHECK(contains(given_up, "55P03"));

  run(own->execute(data::trusted("alter database " + one<std::string>(*own, "select current_database()") +
                                 " set lock_timeout = '30ms'")));
  const auto db = postgres::open(own.url());
  data::migration_set asks;
  asks.add("0001_ask.sql", "create table asked as select current_setting('lock_timeout') as it;");
  (void)run(data::migrate(db, asks)).value();
  REQUIRE(one<std::string>(db, "select it from asked") == "30ms");
  run(db.execute("delete from corbel_migrations"));
  CHECK(contains(run(alter_behind_a_reader(db, "alter table busy add column m int;")), "55P03"));
  db.stop();
}
