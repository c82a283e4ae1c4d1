#include "corbel/data/database.hpp"

#include <fstream>

#include "backends.hpp"
#include "corbel/data/constraint.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "corbel/testing/database.hpp"
#include "expect.hpp"
#include "project.hpp"

namespace data = corbel::data;
using corbel::error_kind;
using corbel::task;
using corbel::testing::run;

TEST_CASE("rows come back as described types, column by column") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    project p;
    p.id = corbel::uuid::v7();
    p.name = "Apollo";
    p.status = project_status::archived;
    p.priority = 3;
    p.score = 1.5;
    p.pinned = true;
    p.budget = {1250};
    p.tags = {"a", "b \"c\""};
    p.due_date = corbel::parse_date("2026-12-31");
    p.created_at = *corbel::parse_timestamp("2026-01-02T03:04:05.678Z");
    p.version = 1;
    CHECK(run(db.execute(
              "insert into projects values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
              p.id, p.name, p.description, p.status, p.priority, p.score, p.pinned, p.budget, p.tags,
              p.due_date, p.created_at, p.updated_at, p.version, p.deleted_at)) == 1);
    const auto found = run(db.query<project>("select * from projects where id = $1", p.id));
    REQUIRE(found.size() == 1);
    CHECK(found.front() == p);
    CHECK(run(db.query_one<project>("select * from projects where name = $1", "none")) == std::nullopt);
    CHECK(run(db.query_one<std::string>("select name from projects where status = $1", p.status)) ==
          "Apollo");
    CHECK(run(db.query<std::int64_t>("select priority from projects")) == std::vector<std::int64_t>{3});
    CHECK(run(db.query<std::optional<std::string>>("select description from projects")).front() ==
          std::nullopt);
    CHECK(run(db.query_one<std::vector<std::string>>("select tags from projects")) == p.tags);
    CHECK(run(db.execute("update projects set priority = $1", 4)) == 1);
    CHECK(run(db.execute("delete from projects where name = 'x'")) == 0);
    CHECK(run(db.execute("create table t (a integer)")) == 0);
    CHECK_NOTHROW(run(db.ping()));
  });
}

TEST_CASE("a row that does not fit its type is a loud error that names the column") {
  backends::each([](const data::database& db) {
    const auto wrong = failure_of(db.query<std::int64_t>("select 'seven' as number"));
    CHECK(wrong.kind() == error_kind::internal);
    CHECK(contains(wrong.cause(), "column \"number\" should hold an integer"));
    CHECK_FALSE(contains(wrong.cause(), "seven"));
    CHECK(contains(failure_of(db.query<std::int32_t>("select 3000000000 as n")).cause(), "\"n\""));
    CHECK(contains(failure_of(db.query<std::string>("select null as name")).cause(), "std::optional"));
    CHECK(contains(failure_of(db.query<project>("select 1 as id, 2 as created_at")).cause(),
                   "lack the column(s) \"name\", \"description\""));
    CHECK(contains(failure_of(db.query<project_status>("select 'gone' as status")).cause(), "\"status\""));
    CHECK(contains(failure_of(db.query_one<bool>("select 2 as b")).cause(), "a boolean"));
    CHECK(contains(failure_of(db.query_one<int>("select 1 union all select 2")).cause(), "got 2 rows"));
    CHECK(contains(failure_of(db.query_one<int>("select 1, 2")).cause(), "exactly one column"));
  });
}

TEST_CASE("hostile text is a value like any other") {
  backends::each([](const data::database& db) {
    run(db.execute("create table notes (body text not null)"));
    const std::string attempts[] = {
        "'; drop table notes; --", "\" or 1=1",        "$1",        "\\'", "x\0y", "%_",
        std::string("a\0b", 3),    "\xF0\x9F\x92\xA9", "/* */ -- ;"};
    for (const auto& text : attempts) {
      if (db.language().name == "postgres" && text.find('\0') != std::string::npos) {
        // Its text holds no NUL, and says so to whoever sent one.
        CHECK(failure_of(db.execute("insert into notes values ($1)", text)).kind() == error_kind::malformed);
        continue;
      }
      CHECK(run(db.execute("insert into notes values ($1)", text)) == 1);
      CHECK(run(db.query_one<std::string>("select body from notes where body = $1", text)) == text);
      run(db.execute("delete from notes"));
    }
    CHECK(run(db.query_one<std::int64_t>("select count(*) from notes")) == 0);
  });
}

TEST_CASE("broken constraints are typed errors, and tell nothing of the SQL") {
  backends::each([](const data::database& db) {
    run(
        db.execute("create table owners (id integer primary key, full_name text not null unique, "
                   "age integer check (age >= 0), constraint pair unique (id, full_name))"));
    run(db.execute(
        "create table pets (id integer primary key, owner_id integer not null references owners(id))"));
    run(db.execute("insert into owners values (1, 'secret name', 3)"));

    const auto unique = failure_of(db.execute("insert into owners values (2, 'secret name', 3)"));
    CHECK(unique.kind() == error_kind::conflict);
    CHECK(unique.code() == "unique_violation");
    REQUIRE(unique.details().size() == 1);
    CHECK(unique.details().front() == std::pair<std::string, std::string>("field", "fullName"));
    const auto* broken = data::constraint_of(unique);
    REQUIRE(broken);
    CHECK(broken->table == "owners");
    CHECK(broken->is_unique_on("fullName"));
    CHECK(broken->is_unique_on("full_name"));
    CHECK_FALSE(broken->is_unique_on("id"));
    CHECK_FALSE(contains(unique.message(), "secret"));
    CHECK_FALSE(contains(unique.message(), "insert"));

    const auto foreign = failure_of(db.execute("insert into pets values (1, 99)"));
    CHECK(foreign.kind() == error_kind::conflict);
    CHECK(data::constraint_of(foreign)->kind == data::constraint_kind::foreign_key);
    const auto null = failure_of(db.execute("insert into owners values (3, null, 3)"));
    CHECK(null.kind() == error_kind::unprocessable);
    CHECK(data::constraint_of(null)->kind == data::constraint_kind::not_null);
    const auto check = failure_of(db.execute("insert into owners values (4, 'x', -1)"));
    CHECK(check.kind() == error_kind::unprocessable);
    CHECK(data::constraint_of(check)->kind == data::constraint_kind::check);
    const auto typo = failure_of(db.execute("insert into owner values (4)"));
    CHECK(typo.kind() == error_kind::internal);
    CHECK(data::constraint_of(typo) == nullptr);
    CHECK_FALSE(contains(typo.message(), "owner"));
    CHECK(contains(typo.cause(), "owner"));
  });
}

TEST_CASE("run-time SQL is trusted by name, and its placeholders are counted when it runs") {
  backends::each([](const data::database& db) {
    CHECK(run(db.query_one<std::int64_t>(data::trusted("select cast($1 as integer) + cast($2 as integer)"), 1,
                                         2)) == 3);
    CHECK(run(db.query_one<std::int64_t>(data::trusted("select cast($2 as integer) - cast($1 as integer)"), 1,
                                         5)) == 4);
    CHECK(failure_of(db.query_one<std::int64_t>(
                         data::trusted("select cast($1 as integer) + cast($2 as integer)"), 1))
              .kind() == error_kind::internal);
    CHECK(failure_of(db.query_one<std::int64_t>(data::trusted("select 1"), 1)).kind() ==
          error_kind::internal);
    CHECK(failure_of(db.execute("select 1; select 2")).kind() == error_kind::internal);
  });
}

TEST_CASE("the placeholders of SQL are found where they stand, and nowhere else") {
  using data::detail::scan_placeholders;
  CHECK(scan_placeholders("select $1, '$2', \"$3\", `$4` -- $5\n, $2 /* $6 */, a$7, 'it''s $8'").highest ==
        2);
  CHECK(scan_placeholders("select e'it\\'s $3', $1").highest == 1);
  CHECK(scan_placeholders("$1 $3").gap);
  CHECK_FALSE(scan_placeholders("$2 $1 $2").gap);
  CHECK(scan_placeholders("$10$11").highest == 11);
  using fault = data::detail::placeholder_scan::fault;
  CHECK(scan_placeholders("'open $1").wrong == fault::unclosed_quote);
  CHECK(scan_placeholders("/* open").wrong == fault::unclosed_comment);
  CHECK(scan_placeholders("$0").wrong == fault::zero);
  CHECK(scan_placeholders("$99999999999999999999").wrong == fault::too_many);
}

TEST_CASE("the URL finds its driver, or says what there is") {
  const auto url_error = [](std::string_view url) {
    try {
      data::connect(url, {corbel::sqlite::driver()});
    } catch (const corbel::failure& f) {
      return std::string(f.what());
    }
    return std::string();
  };
  const auto db = data::connect("sqlite::memory:", {corbel::sqlite::driver()});
  CHECK(run(db.query_one<std::int64_t>("select 1")) == 1);
  db.stop();
  CHECK(contains(url_error("postgres://u:hidden@h/d"), "It has: sqlite:."));
  CHECK_FALSE(contains(url_error("postgres://u:hidden@h/d"), "hidden"));
  CHECK(contains(url_error("sqlite:"), "names no file"));
  for (const auto* bare : {"foo.db", "/var/lib/foo.db", "./foo.db", "C:\\foo.db", "my file:x"}) {
    CAPTURE(bare);
    CHECK(url_error(bare) ==
          "The database URL does not say which database it is for. Write sqlite:FILE, such as "
          "sqlite:app.db.");
  }
  CHECK(url_error("").starts_with("The database URL is empty. Write sqlite:FILE"));
  CHECK(contains(url_error("sqlite:x.db?readerz=3"),
                 "There is no option \"readerz\"; \"readers\" was meant, perhaps. There are synchronous, "));
  CHECK(contains(url_error("sqlite:x.db?busytimeout=3s"), "\"busy_timeout\" was meant"));
  CHECK(url_error("sqlite:x.db?journal=1").starts_with("There is no option \"journal\". There are "));
  CHECK(contains(url_error("sqlite:x.db?busy_timeout=5"), "such as 250ms, 5s or 1m"));
  CHECK(contains(url_error("sqlite:x.db?synchronous=sometimes"), "off, normal, full or extra"));
  CHECK(contains(url_error("sqlite:%zz"), "hexadecimal"));
  CHECK(contains(url_error("sqlite://host/x.db"), "not a host"));
  CHECK(url_error("sqlite:/no/such/folder/x.db") ==
        "The database file \"/no/such/folder/x.db\" cannot be opened (unable to open database file). Its "
        "folder "
        "\"/no/such/folder\" does not exist: create it, or correct the path.");
  const corbel::testing::temporary_folder folder;
  CHECK(contains(url_error("sqlite:" + folder.path().string()), "It is a folder: name a file in it."));
  // The path is no client's business.
  try {
    data::connect("sqlite:/no/such/folder/x.db", {corbel::sqlite::driver()});
  } catch (const corbel::failure& f) {
    CHECK(f.error().message() == "The database is not available. Try again shortly.");
  }
  const auto text_file = (folder.path() / "notes.db").string();
  std::ofstream(text_file) << std::string(5000, 'x');
  CHECK(contains(url_error("sqlite:" + text_file), "notes.db\" cannot be used (file is not a database)"));
  const auto read = corbel::sqlite::parse_url("sqlite:///var/a%20b.db?readers=2&busy_timeout=1m");
  REQUIRE(read);
  CHECK(read->path == "/var/a b.db");
  CHECK(read->readers == 2);
  CHECK(read->busy_timeout == std::chrono::minutes(1));
}
