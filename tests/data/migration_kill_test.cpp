// A migration's process is killed before its first step, before its second, and so on to the last: whatever
// is left is a whole version. And what only SQLite has to do for that.

#include <fstream>

#include "backends.hpp"
#include "corbel/data/migrations.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "expect.hpp"
#include "migration_sets.hpp"
#include "places.hpp"
#include "victim.hpp"

namespace data = corbel::data;
namespace fs = std::filesystem;
using corbel::testing::run;

namespace {

/// Does `task` in a process that dies at its step `at`; false when it came to its end before.
bool dies_at(int at, const places::place& where, const char* task) {
  const int status = victim(where.url(), task, at).wait();
  where.settle();
  if (WIFSIGNALED(status)) return true;
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  return false;
}

std::string url_in(const corbel::testing::temporary_folder& folder) {
  return "sqlite:" + (folder.path() / "x.db").string() + "?synchronous=off";
}

using migration_sets::bare_steps;
using migration_sets::three_steps;
using places::tables;

}  // namespace

TEST_CASE("killed at any statement, a migration leaves version N or N + 1") {
  places::each(
      [](const places::place& where) {
        int at = 0;
        for (bool died = true; died; ++at) {
          CAPTURE(at);
          where.clear();
          died = dies_at(at, where, "three_steps");
          const auto db = where.open();
          const auto status = run(data::migrations_status(db, three_steps()));
          REQUIRE(status);
          CHECK(tables(db) == static_cast<int>(2 * status->applied.size()));
          CHECK(data::migrate_now(db, three_steps()).size() == status->pending.size());
          CHECK(tables(db) == 6);
        }
        CHECK(at > 20);
      },
      "?synchronous=off");
}

TEST_CASE("killed at any statement, the way down leaves version N or N - 1") {
  places::each(
      [](const places::place& where) {
        int at = 0;
        for (bool died = true; died; ++at) {
          CAPTURE(at);
          where.clear();
          {
            const auto db = where.open();
            data::migrate_now(db, three_steps());
            db.stop();
          }
          died = dies_at(at, where, "three_steps_down");
          const auto again = where.open();
          const auto status = run(data::migrations_status(again, three_steps()));
          REQUIRE(status);
          CHECK(tables(again) == static_cast<int>(2 * status->applied.size()));
          CHECK(run(data::migrate_down(again, three_steps(), 0)).value().size() == status->applied.size());
          CHECK(tables(again) == 0);
        }
        CHECK(at > 15);
      },
      "?synchronous=off");
}

TEST_CASE("killed at any statement without a transaction, the next attempt completes it") {
  places::each(
      [](const places::place& where) {
        int at = 0;
        for (bool died = true; died; ++at) {
          CAPTURE(at);
          where.clear();
          died = dies_at(at, where, "bare_steps");
          const auto db = where.open();
          CHECK(run(data::migrations_status(db, bare_steps())));
          data::migrate_now(db, bare_steps());
          CHECK(tables(db) == 3);
          CHECK(run(db.query<int>("select x from b order by x")) == std::vector<int>{1, 2});
        }
        CHECK(at > 20);
      },
      "?synchronous=off");
}

TEST_CASE("processes that migrate without transactions take turns, and leave no lock behind") {
  const corbel::testing::temporary_folder folder;
  run(corbel::sqlite::open(url_in(folder)).execute("create table runs (n integer)"));
  std::vector<victim> children;
  for (int i = 0; i < 4; ++i) children.emplace_back(url_in(folder), "counted_runs");
  for (auto& child : children) CHECK(child.wait() == 0);
  const auto db = corbel::sqlite::open(url_in(folder));
  CHECK(run(db.query<int>("select count(*) from runs group by n")) == std::vector<int>{2, 2, 2, 2});
  CHECK_FALSE(fs::exists(folder.path() / "x.db-migrate"));
}

TEST_CASE("a lock that a killed process left is no obstacle, and one that cannot be made is told") {
  const corbel::testing::temporary_folder folder;
  const auto lock = folder.path() / "x.db-migrate";
  const auto db = corbel::sqlite::open(url_in(folder));
  std::ofstream(lock) << "";
  CHECK(data::migrate_now(db, bare_steps()).size() == 3);
  CHECK_FALSE(fs::exists(lock));
  fs::create_symlink(folder.path() / "elsewhere", lock);
  const auto refused = failure_of(data::migrate(db, bare_steps()));
  CHECK(contains(refused.message(), "x.db-migrate\" cannot be made"));
  CHECK_FALSE(fs::exists(folder.path() / "elsewhere"));
}

TEST_CASE("SQLite: VACUUM and PRAGMA run without a transaction, and what they set for the connection goes") {
  for (const char* url : {"sqlite::memory:", ""}) {
    CAPTURE(url);
    const corbel::testing::temporary_folder folder;
    const auto db = corbel::sqlite::open(*url ? std::string(url) : url_in(folder));
    data::migration_set set;
    set.add("0001_a.sql", "create table a (id integer primary key, up integer references a (id));");
    set.add("0002_b.sql",
            "-- corbel: no-transaction\npragma foreign_keys = off;\npragma query_only = on;\n"
            "pragma query_only = off;\npragma auto_vacuum = full;\nvacuum;\n");
    data::migrate_now(db, set);
    CHECK(failure_of(db.execute("insert into a values (1, 99)")).kind() == corbel::error_kind::conflict);
    run(db.execute("insert into a values (1, null)"));
    CHECK(run(db.query_one<int>("select auto_vacuum from pragma_auto_vacuum")) == 1);
    data::migration_set transactional;
    transactional.add("0001_a.sql", set.all()[0].sql).add("0002_b.sql", set.all()[1].sql);
    transactional.add("0003_c.sql", "vacuum;");
    CHECK(contains(run(data::migrate(db, transactional)).error().message(),
                   "VACUUM from within a transaction"));
  }
}
