#include <filesystem>
#include <fstream>
#include <functional>

#include "corbel/data/migrations.hpp"
#include "corbel/testing/database.hpp"
#include "embedded/by_dialect.hpp"
#include "expect.hpp"

namespace data = corbel::data;
namespace fs = std::filesystem;

namespace {

constexpr data::dialect sqlite{"sqlite"};
constexpr data::dialect postgres{"postgres"};
constexpr data::dialect other{"other"};

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const corbel::failure& f) {
    CHECK(f.error().code() == "bad_migrations");
    return f.error().message();
  }
  return {};
}

std::string refusal_of(std::string_view sql, std::string_view file = "0001_a.sql") {
  return refusal([&] { data::migration_set().add(file, std::string(sql)); });
}

bool runs_bare(std::string_view sql) {
  data::migration_set set;
  set.add("0001_a.sql", std::string(sql));
  return set.all().front().no_transaction();
}

void write(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::string names(const data::migration_set& set) {
  std::string all;
  for (const auto& one : set.all()) all += one.file() + (one.down ? "+down " : " ");
  return all;
}

}  // namespace

TEST_CASE("a file without a transaction says so in a line among its leading comments") {
  CHECK(runs_bare("-- corbel: no-transaction\nvacuum;"));
  CHECK(runs_bare("-- corbel: no-transaction"));
  CHECK(runs_bare(
      "\n-- Why we do this.\n/* A\nlicence /* nested */ */\r\n  -- corbel: no-transaction \r\nvacuum;"));
  CHECK(runs_bare("\xEF\xBB\xBF-- corbel: no-transaction\nvacuum;"));
  CHECK_FALSE(runs_bare(""));
  CHECK_FALSE(runs_bare("vacuum; -- no transaction here"));
  CHECK_FALSE(runs_bare("-- Corbel runs this in a transaction: good.\ncreate table a (x integer);"));
  CHECK_FALSE(runs_bare("select '\n-- corbel: no-transaction\n';"));
  CHECK_FALSE(
      runs_bare("create function f() returns int as $b$\n-- corbel: no-transaction\n$b$ language sql;"));
  CHECK_FALSE(runs_bare("/* unfinished\n-- corbel: no-transaction\nvacuum;"));
}

TEST_CASE("what was meant as that line and is not is refused, with the right spelling") {
  for (const char* wrong :
       {"-- corbel: no-transactions", "-- corbel:no-transaction", "--corbel: no-transaction",
        "-- Corbel: no-transaction", "-- corbel no-transaction", "-- corbel: no_transaction",
        "-- corbel: notransaction", "-- corbel : no-transaction", "-- no-transaction", "-- NO TRANSACTION",
        "-- corbel: no-transaction.", "-- corbel: no-transaction please", "-- corbel: transaction off",
        "-- corbel:", "/* corbel: no-transaction */", "-- corbel: no-transaction\v"}) {
    CAPTURE(wrong);
    const auto said = refusal_of(std::string(wrong) + "\nvacuum;");
    CHECK(contains(said, "Write \"-- corbel: no-transaction\" on a line of its own"));
    CHECK(contains(said, "0001_a.sql"));
  }
  CHECK(contains(refusal_of("select 1;\n-- corbel: no-transaction\nvacuum;"), "Move the line to the top"));
  CHECK(contains(refusal_of(std::string_view("s\0e\0l\0", 6)), "Save it as UTF-8"));
}

TEST_CASE("an index made concurrently can be made again after an interruption") {
  const std::string bare = "-- corbel: no-transaction\n";
  CHECK(refusal_of(bare + "drop index concurrently if exists i;\ncreate index concurrently i on t (x);") ==
        "");
  CHECK(refusal_of(bare + "DROP INDEX IF EXISTS app.I; CREATE UNIQUE INDEX CONCURRENTLY \"i\" ON t (x)") ==
        "");
  CHECK(refusal_of(bare + "drop index if exists a, app.b; create index concurrently b on t (x)") == "");
  CHECK(refusal_of("create index concurrent on t (x)") == "");
  CHECK(refusal_of("select 'create index concurrently i on t (x)' -- create index concurrently\n;") == "");

  CHECK(contains(refusal_of("create index concurrently i on t (x)"), "begins with the line"));
  CHECK(contains(refusal_of("drop index concurrently if exists i"), "begins with the line"));
  const std::string pattern = "drop index concurrently if exists i; create index concurrently i on ...";
  for (const char* wrong :
       {"create index concurrently i on t (x)", "create index concurrently if not exists i on t (x)",
        "drop index concurrently if exists i; create index concurrently if not exists i on t (x)",
        "drop index concurrently i; create unique index concurrently i on t (x)",
        "create index concurrently i on t (x); drop index concurrently if exists i",
        "drop index concurrently if exists j; create /* c */ index concurrently app.i on t (x)"}) {
    CAPTURE(wrong);
    CHECK(contains(refusal_of(bare + wrong), pattern));
  }
  CHECK(contains(refusal_of(bare + "create index concurrently if not exists i on t (x)"), "INVALID"));
  CHECK(contains(refusal_of(bare + "create index concurrently on t (x)"), "Name it"));
  for (const char* cut :
       {"create", "create unique index concurrently", "create index concurrently if not",
        "drop index if exists", "drop index concurrently if exists a.", "create index concurrently \"", "$$",
        "/*", "'", "E'\\", "$a$ $b$", "\"", "`", "a$$b", "-", "--", ";;;"})
    (void)refusal_of(bare + cut);
}

TEST_CASE("a mark of UTF-8 hides no statement, and counts in the checksum") {
  const std::string mark = "\xEF\xBB\xBF";
  CHECK(contains(refusal_of(mark + "create index concurrently i on t (x)"), "begins with the line"));
  CHECK(refusal_of(mark + "drop index if exists i; select 1") == "");
  data::migration_set set;
  set.add("0001_a.sql", mark + "select 1;");
  CHECK(set.all().front().checksum() == data::migration{1, "a", mark + "select 1;"}.checksum());
  CHECK(set.all().front().checksum() != data::migration{1, "a", "select 1;"}.checksum());
}

TEST_CASE("a down file belongs to the file it undoes") {
  data::migration_set set;
  set.add("0001_a.sql", "create table a (x integer)").add("0001_a.down.sql", "drop table a");
  CHECK(set.all().front().down == "drop table a");
  CHECK(set.all().front().down_file() == "0001_a.down.sql");
  CHECK_FALSE(set.all().front().down_no_transaction());
  CHECK(contains(refusal([&] { set.add("0002_b.down.sql", ""); }), "\"0002_b.sql\", which is not there"));
  CHECK(contains(refusal([&] { set.add("0001_b.down.sql", ""); }), "Name it \"0001_a.down.sql\""));
  CHECK(contains(refusal([&] { set.add("0001_a.down.sql", ""); }), "two down files"));
  CHECK(contains(refusal([&] { set.add("00001_a.down.sql", ""); }), "two down files"));
  set.add("0002_b.sql", "");
  CHECK(contains(refusal([&] { set.add("0002_b.down.sql", "-- corbel: no-tx\n"); }), "no instruction"));
  set.add("0002_b.down.sql", "-- corbel: no-transaction\nvacuum");
  CHECK(set.all().back().down_no_transaction());
}

TEST_CASE("hostile names of files are refused") {
  for (const char* bad : {".down.sql",
                          "0001.down.sql",
                          "0001_.down.sql",
                          "0001_a.down",
                          "0001_a.down.down.sql",
                          "0001_a.up.sql",
                          "0001_down.sql.sql",
                          "../0001_a.sql",
                          "0001_a/b.sql",
                          "0001_\".sql",
                          "0001_a\n.sql",
                          "0001_\xC3\xA9.sql",
                          "-001_a.sql",
                          "+001_a.sql",
                          "0x01_a.sql",
                          "_a.sql",
                          "0001_.sql",
                          "0001_a.sql.",
                          "",
                          "_",
                          "_.sql",
                          "00_1_a.sql",
                          "0001_a;b.sql"}) {
    CAPTURE(bad);
    CHECK(contains(refusal_of("", bad), "misnamed"));
  }
}

TEST_CASE("a folder is read whatever order its files come in, and what is no migration is told") {
  const corbel::testing::temporary_folder room;
  const auto folder = room.path() / "m";
  write(folder / "0001_a.down.sql", "drop table a");
  write(folder / "0001_a.sql", "create table a (x integer)");
  write(folder / "0010_b.sql", "");
  write(folder / "README.md", "not SQL");
  write(folder / "notes" / "x.md", "not SQL either");
  CHECK(names(data::migration_set::from_folder(folder)) == "0001_a.sql+down 0010_b.sql ");
  CHECK(names(data::migration_set::from_folder(folder, other)) == "0001_a.sql+down 0010_b.sql ");
  fs::create_directories(folder / "0011_c.sql");
  CHECK(contains(refusal([&] { data::migration_set::from_folder(folder); }), "Check that it is a file"));
  fs::remove(folder / "0011_c.sql");
  fs::create_symlink(folder / "nowhere", folder / "0012_d.sql");
  CHECK(contains(refusal([&] { data::migration_set::from_folder(folder); }), "0012_d.sql"));
  fs::remove(folder / "0012_d.sql");
  fs::remove(folder / "0001_a.sql");
  CHECK(contains(refusal([&] { data::migration_set::from_folder(folder); }), "which is not there"));
}

TEST_CASE("a folder may have folders by dialect, which are never mixed") {
  const fs::path folder = BY_DIALECT_FOLDER;
  CHECK(names(embedded::by_dialect(sqlite)) == "0001_create_shelves.sql 0002_create_books.sql+down ");
  CHECK(names(embedded::by_dialect(postgres)) ==
        "0001_create_shelves.sql 0002_create_books.sql+down 0003_index_tags.sql ");
  for (const auto& of : {sqlite, postgres}) {
    const auto& built_in = embedded::by_dialect(of);
    const auto read = data::migration_set::from_folder(folder, of);
    CHECK(names(read) == names(built_in));
    for (std::size_t i = 0; i < read.all().size(); ++i) {
      CHECK(read.all()[i].sql == built_in.all()[i].sql);
      CHECK(read.all()[i].down == built_in.all()[i].down);
    }
  }
  CHECK(contains(embedded::by_dialect(postgres).all()[1].sql, "jsonb"));
  CHECK(contains(refusal([] { embedded::by_dialect(other); }), "Add the folder by_dialect/other"));
  CHECK(contains(refusal([&] { data::migration_set::from_folder(folder, other); }), "by_dialect/other"));
  CHECK(contains(refusal([&] { data::migration_set::from_folder(folder); }), "postgres, sqlite"));
}

TEST_CASE("a number is either common or of a dialect") {
  const corbel::testing::temporary_folder room;
  write(room.path() / "0001_a.sql", "");
  write(room.path() / "sqlite" / "0001_b.sql", "");
  write(room.path() / "postgres" / "0002_b.sql", "");
  CHECK(contains(refusal([&] { data::migration_set::from_folder(room.path(), sqlite); }), "same number"));
  CHECK(names(data::migration_set::from_folder(room.path(), postgres)) == "0001_a.sql 0002_b.sql ");
}
