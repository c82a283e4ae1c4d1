#include <functional>

#include "backends.hpp"
#include "corbel/data/migration_command.hpp"
#include "expect.hpp"

namespace data = corbel::data;
using corbel::testing::run;

namespace {

const std::string bare = "-- corbel: no-transaction\n";

std::vector<std::string> files(const corbel::result<std::vector<data::migration>>& all) {
  std::vector<std::string> names;
  for (const auto& one : all.value()) names.push_back(one.file());
  return names;
}

using list = std::vector<std::string>;

bool has_table(const data::database& db, const char* name) {
  const data::trusted sql{std::string(db.language().find_table)};
  return *run(db.query_one<int>(sql, name)) == 1;
}

data::migration_set two_tables() {
  data::migration_set set;
  set.add("0001_a.sql", "create table a (x integer);").add("0001_a.down.sql", "drop table a;");
  set.add("0002_b.sql", "create table b (x integer);").add("0002_b.down.sql", "drop table b;");
  return set;
}

}  // namespace

TEST_CASE("status and plan only read, before the first migration and after the last") {
  backends::each([](const data::database& db) {
    auto set = two_tables();
    set.add("0003_c.sql", bare + "create table if not exists c (x integer)");
    CHECK(to_text(*run(data::migrations_status(db, set))) ==
          "version  name  applied at                      duration\n"
          "0001     a     pending\n"
          "0002     b     pending\n"
          "0003     c     pending, without a transaction\n");
    CHECK(*run(data::migrations_plan(db, set)) ==
          "-- 0001_a.sql\ncreate table a (x integer);\n\n"
          "-- 0002_b.sql\ncreate table b (x integer);\n\n"
          "-- 0003_c.sql (without a transaction, statement by statement)\n" +
              bare + "create table if not exists c (x integer)\n");
    CHECK_FALSE(has_table(db, "corbel_migrations"));
    CHECK_FALSE(has_table(db, "a"));
    CHECK(*run(data::migrations_plan(db, {})) == "-- There is nothing to do: there are no migrations.\n");

    data::migrate_now(db, set);
    CHECK(*run(data::migrations_plan(db, set)) ==
          "-- There is nothing to do: the database is at 0003_c.sql.\n");
    const auto table = to_text(*run(data::migrations_status(db, set)));
    CHECK(contains(table, "\n0003     c     20"));
    CHECK(contains(table, " ms\n"));
    CHECK_FALSE(contains(table, "pending"));
    CHECK(run(data::migrations_plan(db, two_tables())).error().code() == "migration_missing");
  });
}

namespace {

/// A transaction belongs to the event loop it began on.
corbel::task<std::size_t> applied_meanwhile(data::database db, data::transaction_mode mode) {
  auto held = co_await db.begin(mode);
  const auto status = co_await data::migrations_status(db, two_tables());
  co_await held.commit();
  co_return status->applied.size();
}

}  // namespace

TEST_CASE("status is told while somebody migrates") {
  backends::each([](const data::database& db) {
    data::migrate_now(db, two_tables());
    for (const auto use : {data::transaction_use::migrate, data::transaction_use::migrate_bare}) {
      const data::transaction_mode mode{.use = use};
      CHECK(run(applied_meanwhile(db, mode)) == 2);
    }
  });
}

TEST_CASE("without a transaction every statement stands, and the file runs again from its beginning") {
  backends::each([](const data::database& db) {
    auto set = two_tables();
    auto failing = set;
    failing.add("0003_c.sql", bare +
                                  "create table if not exists c (x integer);\ninsert into c values (1);\n"
                                  "insert into nowhere values (1);");
    const auto refused = run(data::migrate(db, failing));
    CHECK(refused.error().code() == "migration_failed");
    CHECK(contains(refused.error().message(), "0003_c.sql failed: "));
    CHECK(contains(refused.error().message(), "runs from its beginning"));
    CHECK(run(db.query_one<int>("select count(*) from c")) == 1);
    CHECK(run(data::migrations_status(db, set))->applied.size() == 2);

    set.add("0003_c.sql", bare + "create table if not exists c (x integer);\ninsert into c values (1);");
    set.add("0004_d.sql", "create table d (x integer);");
    set.add("0005_e.sql", bare + "insert into d values (5);");
    CHECK(files(run(data::migrate(db, set))) == list{"0003_c.sql", "0004_d.sql", "0005_e.sql"});
    CHECK(run(db.query_one<int>("select count(*) from c")) == 2);
    CHECK(files(run(data::migrate(db, set))).empty());
    run(db.execute("insert into c values (3)"));
  });
}

TEST_CASE("a migration without a transaction may not begin one") {
  backends::each([](const data::database& db) {
    for (const char* begins : {"begin; create table x (a integer); commit;", "savepoint s;", "rollback;"}) {
      CAPTURE(begins);
      data::migration_set set;
      set.add("0001_a.sql", bare + begins);
      CHECK(run(data::migrate(db, set)).error().code() == "migration_failed");
      CHECK_FALSE(has_table(db, "x"));
    }
    run(db.execute("create table still_works (x integer)"));
  });
}

TEST_CASE("migrations are undone by their down files, newest first") {
  backends::each([](const data::database& db) {
    auto set = two_tables();
    set.add("0003_c.sql", "create table c (x integer);");
    set.add("0003_c.down.sql", bare + "drop table if exists c;");
    data::migrate_now(db, set);
    CHECK(files(run(data::migrate_down(db, set, 3))).empty());
    CHECK(files(run(data::migrate_down(db, set, 99))).empty());
    CHECK(files(run(data::migrate_down(db, set, 1))) == list{"0003_c.sql", "0002_b.sql"});
    CHECK(has_table(db, "a"));
    CHECK_FALSE(has_table(db, "b"));
    CHECK_FALSE(has_table(db, "c"));
    CHECK(files(run(data::migrate(db, set))) == list{"0002_b.sql", "0003_c.sql"});
    CHECK(files(run(data::migrate_down(db, set, 0))).size() == 3);
    CHECK(files(run(data::migrate_down(db, set, 0))).empty());
    CHECK(run(data::migrations_status(db, set))->pending.size() == 3);
    CHECK(run(data::migrate_down(db, set, -1)).error().code() == "bad_version");
  });
}

TEST_CASE("going down on an empty database does nothing") {
  backends::each([](const data::database& db) {
    CHECK(files(run(data::migrate_down(db, two_tables(), 0))).empty());
    CHECK_FALSE(has_table(db, "corbel_migrations"));
  });
}

TEST_CASE("nothing is undone when one of them cannot be") {
  backends::each([](const data::database& db) {
    data::migration_set set;
    set.add("0001_a.sql", "create table a (x integer);");
    set.add("0002_b.sql", "create table b (x integer);");
    set.add("0003_c.sql", "create table c (x integer);").add("0003_c.down.sql", "drop table c;");
    data::migrate_now(db, set);
    const auto refused = run(data::migrate_down(db, set, 0));
    CHECK(refused.error().code() == "migration_irreversible");
    CHECK(contains(refused.error().message(), "0002_b.sql cannot be undone"));
    CHECK(contains(refused.error().message(),
                   "Write 0002_b.down.sql beside it, or go no further down than to 2."));
    CHECK(has_table(db, "c"));
    CHECK(files(run(data::migrate_down(db, set, 2))) == list{"0003_c.sql"});
  });
}

TEST_CASE("a down file may change after its migration was applied; one that fails leaves no trace") {
  backends::each([](const data::database& db) {
    auto set = two_tables();
    data::migrate_now(db, set);
    data::migration_set other;
    other.add("0001_a.sql", "create table a (x integer);").add("0001_a.down.sql", "drop table a;");
    other.add("0002_b.sql", "create table b (x integer);");
    other.add("0002_b.down.sql", "drop table b; drop table nowhere;");
    CHECK(run(data::migrations_status(db, other)));
    const auto refused = run(data::migrate_down(db, other, 0));
    CHECK(contains(refused.error().message(), "0002_b.down.sql failed and left no trace"));
    CHECK(has_table(db, "b"));
    CHECK(run(data::migrations_status(db, set))->applied.size() == 2);

    data::migration_set edited;
    edited.add("0001_a.sql", "create table a (y integer);").add("0001_a.down.sql", "drop table a;");
    edited.add("0002_b.sql", "create table b (x integer);").add("0002_b.down.sql", "drop table b;");
    CHECK(run(data::migrate_down(db, edited, 1)).error().code() == "migration_edited");
    CHECK(has_table(db, "b"));
  });
}

TEST_CASE("an editor's mark of UTF-8 at the start of a file is no SQL") {
  backends::each([](const data::database& db) {
    const std::string mark = "\xEF\xBB\xBF";
    data::migration_set set;
    set.add("0001_a.sql", mark + "create table a (x integer);\n");
    set.add("0001_a.down.sql", mark + "drop table a;\n");
    set.add("0002_b.sql", mark + bare + "create table if not exists b (x integer);\n");
    set.add("0002_b.down.sql", mark + bare + "drop table if exists b;\n");
    const auto plan = *run(data::migrations_plan(db, set));
    CHECK_FALSE(contains(plan, mark));
    CHECK(contains(plan, "-- 0001_a.sql\ncreate table a (x integer);\n"));
    const auto applied = run(data::migrate(db, set));
    REQUIRE_MESSAGE(applied, applied.error().message());
    CHECK(has_table(db, "a"));
    CHECK(has_table(db, "b"));
    CHECK(run(data::migrations_status(db, set))->pending.empty());
    const auto undone = run(data::migrate_down(db, set, 0));
    REQUIRE_MESSAGE(undone, undone.error().message());
    CHECK_FALSE(has_table(db, "a"));
    CHECK_FALSE(has_table(db, "b"));
  });
}

TEST_CASE("a program's main asks whether its arguments were for the migrations") {
  backends::each([](const data::database& db) {
    const auto given = [&](std::vector<const char*> words) {
      words.insert(words.begin(), "/usr/bin/service");
      return data::migration_command(db, two_tables(), static_cast<int>(words.size()), words.data());
    };
    CHECK(given({}) == std::nullopt);
    CHECK(given({"serve"}) == std::nullopt);
    CHECK(given({"migrate", "statsu"}) == 64);
    CHECK(given({"migrate", "down"}) == 64);
    CHECK(given({"migrate", "down", "1x"}) == 64);
    CHECK(given({"migrate", "down", "-1"}) == 64);
    CHECK(given({"migrate", "status", "now"}) == 64);
    CHECK_FALSE(has_table(db, "a"));
    CHECK(given({"migrate"}) == 0);
    CHECK(has_table(db, "b"));
    CHECK(given({"migrate", "down", "1"}) == 0);
    CHECK_FALSE(has_table(db, "b"));
    CHECK(data::migration_command(db, two_tables(), 0, nullptr) == std::nullopt);
  });
}
