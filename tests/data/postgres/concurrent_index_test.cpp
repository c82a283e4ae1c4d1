// An index that is made while others write, and an attempt at it that dies in its middle.

#include "corbel/data/migrations.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

task<void> migrate(data::database db, const data::migration_set* set, bool* applied) {
  const auto done = co_await data::migrate(db, *set);
  *applied = done.has_value();
}

task<void> write_slowly(data::database db, bool* go_on) {
  auto tx = co_await db.begin();
  co_await tx.execute("insert into books values (0)");
  while (*go_on) co_await pause(10ms);
  co_await tx.commit();
}

}  // namespace

TEST_CASE("CREATE INDEX CONCURRENTLY runs beside writers, and heals what an attempt that died left behind") {
  const temporary_postgres own("connections=4");
  const auto beside = postgres::open(own.url());
  run(own->execute("create table books (n int)"));
  run(own->execute("insert into books select n from generate_series(1, 20000) n"));
  data::migration_set set;
  set.add("0001_index.sql",
          "-- corbel: no-transaction\ndrop index concurrently if exists books_n;\n"
          "create index concurrently books_n on books (n);\n");
  const auto valid = [&](bool wanted) {
    return one<int>(beside,
                    "select count(*) from pg_index where indexrelid = to_regclass('books_n') and "
                    "indisvalid = $1",
                    wanted);
  };

  side_by_side all;
  bool writing = true;
  bool applied = false;
  auto& writer = all.start(write_slowly(*own, &writing));
  REQUIRE(all.run_until([&] {
    return one<int>(beside, "select count(*) from pg_locks where relation = 'books'::regclass and granted") >
           0;
  }));
  auto& first = all.start(migrate(*own, &set, &applied));
  // It waits for whoever wrote before it, and keeps nobody from writing.
  REQUIRE(all.run_until([&] { return valid(false) == 1; }));
  CHECK(run(beside.execute("insert into books values (1)")) == 1);
  CHECK_FALSE(first.ended);
  CHECK(one<int>(beside,
                 "select count(pg_terminate_backend(pid)) from pg_stat_activity where query like 'create "
                 "index concurrently%' and datname = current_database() and state = 'active'") == 1);
  REQUIRE(all.run_until([&] { return first.ended; }));
  CHECK_FALSE(applied);
  CHECK(valid(false) == 1);
  CHECK(one<int>(beside, "select count(*) from corbel_migrations") == 0);

  auto& second = all.start(migrate(*own, &set, &applied));
  // The first thing it does is to drop what is there, and that waits, too.
  REQUIRE(all.run_until([&] {
    return one<int>(beside,
                    "select count(*) from pg_stat_activity where query like 'drop index concurrently%' and "
                    "datname = current_database() and state = 'active'") == 1;
  }));
  writing = false;
  all.run();
  CHECK_FALSE(writer.thrown);
  CHECK_FALSE(second.thrown);
  CHECK(applied);
  CHECK(valid(true) == 1);
  CHECK(one<int>(beside, "select count(*) from corbel_migrations") == 1);
  beside.stop();
}
