#include "corbel/data/migrations.hpp"

#include <unistd.h>

#include <fstream>
#include <functional>

#include "backends.hpp"
#include "embedded/migrations.hpp"
#include "expect.hpp"
#include "migration_sets.hpp"
#include "places.hpp"
#include "victim.hpp"

namespace data = corbel::data;
using corbel::testing::run;

namespace {

std::vector<std::string> files(const std::vector<data::migration>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.file());
  return names;
}

using migration_sets::many;

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const corbel::failure& f) {
    return f.error().message();
  }
  return {};
}

}  // namespace

TEST_CASE("migrations are applied once, in order, and recorded") {
  backends::each([](const data::database& db) {
    const auto& set = embedded::migrations(db.language());
    const auto before = run(data::migrations_status(db, set));
    REQUIRE(before);
    CHECK(before->applied.empty());
    CHECK(before->pending.size() == 2);
    CHECK(files(data::migrate_now(db, set)) ==
          std::vector<std::string>{"0001_create_people.sql", "0002_count_visits.sql"});
    CHECK(data::migrate_now(db, set).empty());
    const auto after = run(data::migrations_status(db, set));
    REQUIRE(after);
    REQUIRE(after->applied.size() == 2);
    CHECK(after->pending.empty());
    CHECK(after->applied[1].name == "count_visits");
    CHECK(after->applied[1].checksum.size() == 64);

    run(db.execute("insert into people (id) values (1)"));
    run(db.execute("insert into visits values (1)"));
    CHECK(run(db.query_one<std::string>("select name from people")) == "a;b \"quoted\" 'text'!");
    CHECK(run(db.query_one<int>("select visits from people")) == 1);
  });
}

TEST_CASE("a folder of files gives the same set as the embedded one") {
  for (const auto& backend : backends::all()) {
    const data::dialect of{backend.name};
    const auto& built_in = embedded::migrations(of).all();
    const auto from_folder = data::migration_set::from_folder(MIGRATIONS_FOLDER, of);
    REQUIRE(from_folder.all().size() == built_in.size());
    for (std::size_t i = 0; i < built_in.size(); ++i) {
      CHECK(from_folder.all()[i].file() == built_in[i].file());
      CHECK(from_folder.all()[i].sql == built_in[i].sql);
    }
  }
  CHECK(contains(message_of([] { data::migration_set::from_folder("/no/such"); }), "cannot be read"));
}

TEST_CASE("misnamed and doubled files are refused") {
  data::migration_set set;
  set.add("0001_a.sql", "");
  for (const char* bad : {"1_a.sql", "0001a.sql", "0001_.sql", "0001_A.sql", "0001_a.txt", "0000_a.sql",
                          "x001_a.sql", "0001_a b.sql", "99999999999999999999_a.sql"})
    CHECK(contains(message_of([&] { set.add(bad, ""); }), "misnamed"));
  CHECK(contains(message_of([&] { set.add("00001_b.sql", ""); }), "same number"));
}

TEST_CASE("line ends do not change a checksum") {
  CHECK(data::migration{1, "a", "x\r\ny"}.checksum() == data::migration{1, "a", "x\ny"}.checksum());
  CHECK(data::migration{1, "a", "x\ry"}.checksum() != data::migration{1, "a", "x\ny"}.checksum());
  CHECK(data::migration{1, "a", "abc"}.checksum() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a history that does not match stops, and says how to mend it") {
  backends::each([](const data::database& db) {
    data::migration_set applied;
    applied.add("0001_a.sql", "create table a (x integer)").add("0003_c.sql", "create table c (x integer)");
    data::migrate_now(db, applied);

    data::migration_set edited;
    edited.add("0001_a.sql", "create table a (y integer)").add("0003_c.sql", "create table c (x integer)");
    CHECK(contains(message_of([&] { data::migrate_now(db, edited); }), "0001_a.sql was changed after"));
    data::migration_set removed;
    removed.add("0001_a.sql", "create table a (x integer)");
    CHECK(contains(message_of([&] { data::migrate_now(db, removed); }), "Restore the file"));
    auto late = applied;
    late.add("0002_b.sql", "create table b (x integer)");
    CHECK(contains(message_of([&] { data::migrate_now(db, late); }), "a number above 3"));
    CHECK(run(data::migrations_status(db, late)).error().code() == "migration_out_of_order");
    auto next = applied;
    next.add("0004_d.sql", "create table d (x integer)");
    CHECK(files(data::migrate_now(db, next)) == std::vector<std::string>{"0004_d.sql"});
  });
}

TEST_CASE("a migration that fails leaves no trace, and those before it stay") {
  backends::each([](const data::database& db) {
    data::migration_set set;
    set.add("0001_a.sql", "create table a (x integer)");
    auto failing = set;
    failing.add("0002_b.sql", "create table b (x integer);\n\ncreate tabel oops (x);");
    const auto message = message_of([&] { data::migrate_now(db, failing); });
    CHECK(contains(message, "0002_b.sql failed"));
    CHECK(contains(message, "line 3"));
    auto committing = set;
    committing.add("0002_b.sql", "create table b (x integer); commit;");
    CHECK(contains(message_of([&] { data::migrate_now(db, committing); }), "take BEGIN, COMMIT"));
    auto mended = set;
    mended.add("0002_b.sql", "create table b (x integer)");
    CHECK(files(data::migrate_now(db, mended)) == std::vector<std::string>{"0002_b.sql"});
  });
}

namespace {

/// How each database rebuilds a table that others refer to: SQLite looks at the references when all is done,
/// Postgres when the constraint comes back.
struct rebuilding {
  const char* breaking;
  const char* rebuild;
  const char* refusal;
};
rebuilding rebuilding_in(const data::dialect& of) {
  if (of.name == "sqlite")
    return {"delete from people;",
            "create table fresh (id integer primary key, name text, visits integer not null default 0);"
            "insert into fresh select * from people; drop trigger count_visit; drop table people; alter "
            "table fresh rename to people;",
            "refer to rows that do not exist"};
  return {
      "alter table visits drop constraint visits_person_id_fkey; delete from people;"
      "alter table visits add foreign key (person_id) references people(id);",
      "create table fresh (id integer primary key, name text, visits integer not null default 0);"
      "insert into fresh select * from people; drop trigger count_visit on visits;"
      "drop trigger cheer_visit on visits; alter table visits drop constraint visits_person_id_fkey;"
      "drop function cheer; drop table people; alter table fresh rename to people;"
      "alter table visits add foreign key (person_id) references people(id);",
      "0003_break.sql failed and left no trace"};
}

}  // namespace

TEST_CASE("a table is rebuilt without losing the rows that refer to it, and broken references are refused") {
  backends::each([](const data::database& db) {
    const auto how = rebuilding_in(db.language());
    auto set = embedded::migrations(db.language());
    data::migrate_now(db, set);
    run(db.execute("insert into people (id) values (1)"));
    run(db.execute("insert into visits values (1)"));
    auto breaking = set;
    breaking.add("0003_break.sql", how.breaking);
    CHECK(contains(message_of([&] { data::migrate_now(db, breaking); }), how.refusal));
    CHECK(run(db.query_one<int>("select count(*) from people")) == 1);
    set.add("0003_rebuild.sql", how.rebuild);
    data::migrate_now(db, set);
    CHECK(run(db.query_one<int>("select count(*) from visits")) == 1);
    CHECK(failure_of(db.execute("insert into visits values (99)")).kind() == corbel::error_kind::conflict);
  });
}

TEST_CASE("processes that migrate at once take turns") {
  places::each([](const places::place& at) {
    std::vector<victim> children;
    for (int i = 0; i < 4; ++i) children.emplace_back(at.url(), "ten");
    for (auto& child : children) CHECK(child.wait() == 0);
    CHECK(run(at.open().query_one<int>("select count(*) from corbel_migrations")) == 10);
  });
}

TEST_CASE("kill -9 in the middle of migrations leaves whole ones only") {
  places::each([](const places::place& at) {
    for (int round = 0; round < 8; ++round) {
      at.clear();
      victim migrates(at.url(), "two_hundred");
      REQUIRE(migrates.next());  // it has begun
      ::usleep(static_cast<useconds_t>(1000 + round * 7000));
      migrates.kill();
      at.settle();

      const auto db = at.open();
      const auto status = run(data::migrations_status(db, many(200)));
      REQUIRE(status);
      CHECK(places::tables(db) == static_cast<int>(2 * status->applied.size()));
      CHECK(status->applied.size() + status->pending.size() == 200);
      db.stop();
    }
  });
}

TEST_CASE("what was acknowledged survives kill -9") {
  places::each([](const places::place& at) {
    victim inserts(at.url(), "insert_for_ever");
    int last = 0;
    while (last < 50) last = inserts.next().value();
    inserts.kill();
    while (const auto more = inserts.next()) last = *more;
    at.settle();
    const auto db = at.open();
    const auto kept = *run(db.query_one<int>("select max(n) from t"));
    CHECK((kept == last || kept == last + 1));
    CHECK(run(db.query_one<int>("select count(*) from t")) == kept);
  });
}
