#include <doctest/doctest.h>
#include <corbel/corbel.hpp>
#include <corbel/data/constraint.hpp>
#include <corbel/data/migration_command.hpp>
#include <corbel/data/migrations.hpp>
#include <corbel/data/repository.hpp>
#include <corbel/data/sqlite/sqlite.hpp>
#include <corbel/routing/list.hpp>
#include <corbel/testing/client.hpp>
#include <corbel/testing/database.hpp>
#include <corbel/testing/fake_clock.hpp>
#include <corbel/testing/run.hpp>

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "embedded/migrations.hpp"
#include "lend.hpp"

using namespace corbel;

namespace {

// region: entity
struct book {
  corbel::uuid id{};
  std::string isbn;
  std::string title;
  int copies = 0;
  std::optional<corbel::date> published_on;
  corbel::timestamp created_at{};
  corbel::timestamp updated_at{};
  std::int64_t version = 0;
  std::optional<corbel::timestamp> deleted_at;
};
constexpr auto describe(corbel::tag<book>) {
  using namespace corbel::rules;
  using b = book;
  return object(field("id", &b::id), field("isbn", &b::isbn), field("title", &b::title),
                field("copies", &b::copies), field("publishedOn", &b::published_on),
                field("createdAt", &b::created_at), field("updatedAt", &b::updated_at),
                field("version", &b::version), field("deletedAt", &b::deleted_at));
}
constexpr auto table(corbel::tag<book>) {
  return corbel::data::table("books")
      .created("createdAt")
      .updated("updatedAt")       // set by the repository
      .version("version")         // optimistic locking
      .soft_delete("deletedAt");  // removing sets it
}
// end: entity

// region: queries
struct title_count {
  std::string title;
  int total_copies = 0;
};
constexpr auto describe(corbel::tag<title_count>) {
  using namespace corbel::rules;
  return object(field("title", &title_count::title), field("totalCopies", &title_count::total_copies));
}

task<std::vector<title_count>> popular(data::source from, int least) {
  co_return co_await from.query<title_count>(
      "select title, sum(copies) as total_copies from books "
      "group by title having sum(copies) >= $1 order by title",
      least);
}

task<std::optional<std::string>> title_of(data::source from, std::string isbn) {
  co_return co_await from.query_one<std::string>("select title from books where isbn = $1", isbn);
}

task<std::int64_t> buy(data::source to, std::string isbn, int copies) {
  co_return co_await to.execute("update books set copies = copies + $1 where isbn = $2", copies, isbn);
}
// end: queries

// region: trusted
task<std::int64_t> count_rows(data::source from, std::string table) {
  if (table != "books" && table != "loans") throw failure(not_found("No such table."));
  const data::trusted sql("select count(*) from " + table);  // of a closed list, never of input
  const auto count = co_await from.query_one<std::int64_t>(sql);
  co_return count.value_or(0);
}
// end: trusted

// region: savepoint
task<int> lend_to_all(data::transaction& tx, uuid id, std::vector<std::string> readers) {
  int lent = 0;
  for (const auto& reader : readers) {
    try {
      const auto done = co_await tx.transact(&lend, id, reader);  // a savepoint: only this one is undone
      if (done) ++lent;
    } catch (const failure& f) {
      if (!data::constraint_of(f.error())) throw;  // this reader has the book already
    }
  }
  co_return lent;
}
// end: savepoint

// region: constraint
task<result<book>> add(data::repository<book> books, book made) {
  auto stored = co_await books.insert(made);
  if (!stored) {
    const auto* broken = data::constraint_of(stored.error());
    if (broken && broken->is_unique_on("isbn"))
      co_return conflict("This book is on the shelf already.", "isbn_taken");
  }
  co_return stored;
}
// end: constraint

task<void> shelve(data::database db) {
  // region: repository
  const data::repository<book> books(db);

  book first;
  first.isbn = "978-0";
  first.title = "Gödel, Escher, Bach";
  auto stored = (co_await books.insert(first)).value();  // as stored: id, version and times are set

  stored.copies = 3;
  const auto changed = co_await books.patch(stored, "copies");  // or update(stored): all fields
  const auto again = co_await books.patch(stored, "copies");    // version 1 is gone: "version_mismatch"

  const auto found = co_await books.find(stored.id);  // optional<book>
  const auto by_isbn = co_await books.find_by("isbn", "978-0");
  const auto missing = co_await books.get(uuid::v7());  // result<book>: "book_not_found"

  const auto query = data::list_query().where("copies", 1, data::comparison::at_least).order_by("title");
  const auto page = co_await books.list(query);  // page.data, page.meta.total
  const auto removed = co_await books.remove(stored.id);
  // end: repository
  REQUIRE(changed);
  CHECK(changed->version == 2);
  CHECK(changed->copies == 3);
  REQUIRE_FALSE(again);
  CHECK(again.error().code() == "version_mismatch");
  CHECK(again.error().kind() == error_kind::conflict);
  REQUIRE(found);
  CHECK(by_isbn->id == stored.id);
  CHECK(missing.error().code() == "book_not_found");
  CHECK(page.meta.total == 1);
  CHECK(removed.has_value());
  CHECK_FALSE(co_await books.find(stored.id));
  CHECK(co_await db.query_one<int>("select count(*) from books") == 1);
}

// region: list
inline corbel::data::list_rules list_rules(corbel::tag<book>) {
  return {.filterable = {"title", "copies", "publishedOn"},
          .sortable = {"title", "publishedOn", "createdAt"},
          .default_sort = "createdAt:desc"};
}

task<data::page_of<book>> list_books(list_query<book> wanted, state<data::repository<book>> books) {
  return books->list(*wanted);
}
// end: list

using testing::run;

book make_book(std::string isbn, std::string title, int copies) {
  book made;
  made.isbn = std::move(isbn);
  made.title = std::move(title);
  made.copies = copies;
  return made;
}

template <class T>
error failure_of(task<T> work) {
  try {
    (void)run(std::move(work));
  } catch (const failure& f) {
    return f.error();
  }
  FAIL("the task succeeded");
  return internal_error("");
}

}  // namespace

TEST_CASE("a URL opens a database") {
  const testing::temporary_folder folder;
  const std::string url =
      "sqlite:" + (folder.path() / "library.db").string() + "?synchronous=normal&readers=2";
  // region: connect
  const auto db = data::connect(url, {sqlite::driver()});
  data::migrate_now(db, embedded::migrations());
  // end: connect
  CHECK(run(count_rows(db, "books")) == 0);
  CHECK(run(db.query_one<std::string>("pragma journal_mode")) == "wal");
  CHECK(run(db.query_one<int>("pragma synchronous")) == 1);
  CHECK(run(db.query_one<int>("pragma foreign_keys")) == 1);
  db.stop();
  const auto refused = [](std::string_view wrong) {
    try {
      (void)data::connect(wrong, {sqlite::driver()});
    } catch (const failure& f) {
      return std::string(f.what());
    }
    return std::string();
  };
  CHECK(refused("postgres://x") ==
        "The database URL begins with \"postgres:\", for which this program has no driver. It has: sqlite:.");
  CHECK(refused("sqlite:x.db?sync=full").starts_with("There is no option \"sync\". There are synchronous, "));
  CHECK(
      refused("sqlite:/nowhere/x.db").starts_with("The database file \"/nowhere/x.db\" cannot be opened ("));
  CHECK(sqlite::parse_url("sqlite:a%20b.db")->path == "a b.db");
}

// region: test
TEST_CASE("a book is lent once to each reader") {
  testing::temporary_database db;  // a file of its own, gone at the end
  data::migrate_now(*db, embedded::migrations());

  const data::repository<book> books(*db);
  const auto made = make_book("978-1", "SICP", 2);
  const auto stored = testing::run(books.insert(made)).value();

  CHECK(*testing::run(lend_one(*db, stored.id, "Ada")) == 1);
  CHECK_THROWS_AS((void)testing::run(lend_one(*db, stored.id, "Ada")), failure);
  CHECK(testing::run(books.get(stored.id))->copies == 1);
}
// end: test

TEST_CASE("queries, transactions and constraints") {
  testing::temporary_database db;
  data::migrate_now(*db, embedded::migrations());
  const data::repository<book> books(*db);
  const auto stored = run(add(books, make_book("978-1", "SICP", 2))).value();
  CHECK(run(add(books, make_book("978-1", "SICP", 2))).error().code() == "isbn_taken");
  const auto insert = [&](const book& made) { return run(books.insert(made)); };
  const auto raw = insert(make_book("978-1", "SICP", 2));
  CHECK(raw.error().code() == "unique_violation");
  CHECK(raw.error().message() == "The same isbn is in use already.");
  CHECK(raw.error().details().at(0) == std::pair<std::string, std::string>("field", "isbn"));
  CHECK(insert(make_book("978-2", "x", -1)).error().code() == "check_violation");
  CHECK(run(popular(*db, 1)).size() == 1);
  CHECK(run(popular(*db, 1)).at(0).total_copies == 2);
  CHECK(run(title_of(*db, "978-1")) == "SICP");
  CHECK_FALSE(run(title_of(*db, "none")));
  CHECK(run(buy(*db, "978-1", 1)) == 1);
  CHECK(run(buy(*db, "none", 1)) == 0);
  CHECK(run(count_rows(*db, "loans")) == 0);
  CHECK(run(db->transact(&lend_to_all, stored.id, std::vector<std::string>{"Ada", "Ada", "Bob"})) == 2);
  CHECK(run(count_rows(*db, "loans")) == 2);
  CHECK(run(books.get(stored.id))->copies == 1);
  CHECK(run(lend_one(*db, uuid::v7(), "Ada")).error().code() == "book_not_found");
  CHECK(failure_of(db->execute("insert into loans values ($1, $2)", uuid::v7(), "x")).code() ==
        "foreign_key_violation");
  const auto cause = [](error e) { return e.code() + ": " + e.cause(); };
  CHECK(cause(failure_of(db->query_one<int>("select 1 union select 2"))) ==
        "internal_error: query_one got 2 rows: narrow the condition, add `limit 1`, or use query");
  CHECK(cause(failure_of(db->query<title_count>("select title from books")))
            .starts_with("internal_error: the rows lack the column(s) \"total_copies\""));
  CHECK(cause(failure_of(db->query<title_count>("select title, null as total_copies from books")))
            .ends_with("make the member a std::optional or the column NOT NULL"));
  CHECK(cause(failure_of(db->execute("begin"))).ends_with("use db.transact(...)"));
  // Columns that no field asks for are passed over.
  CHECK(run(db->query<title_count>("select 1 as x, title, copies as total_copies from books")).size() == 1);
  CHECK(run(books.insert_many({make_book("1", "a", 1), make_book("2", "b", 1)}))->size() == 2);
  CHECK(run(books.insert_many({make_book("3", "a", 1), make_book("2", "b", 1)})).error().code() ==
        "unique_violation");
  CHECK(run(count_rows(*db, "books")) == 3);
  CHECK(run(books.remove(stored.id, 99)).error().code() == "version_mismatch");
  CHECK(run(books.remove(uuid::v7())).error().code() == "book_not_found");
  // A removed row still holds its unique values.
  CHECK(run(books.remove(stored.id)).has_value());
  run(db->execute("create unique index live_titles on books (title) where deleted_at is null"));
  CHECK(insert(make_book("978-3", "SICP", 2)).has_value());
  const auto twice = insert(make_book("978-4", "SICP", 2));
  REQUIRE_FALSE(twice);
  CHECK(data::constraint_of(twice.error())->is_unique_on("title"));
  CHECK(run(add(books, make_book("978-1", "Other", 2))).error().code() == "isbn_taken");
}

TEST_CASE("a repository") {
  testing::temporary_database db;
  data::migrate_now(*db, embedded::migrations());
  run(shelve(*db));
}

TEST_CASE("lists over HTTP") {
  testing::temporary_database db;
  data::migrate_now(*db, embedded::migrations());
  data::repository<book> books(*db);
  for (int n = 0; n < 5; ++n) {
    auto made = make_book("978-" + std::to_string(n), "Book " + std::to_string(n), n);
    if (n > 1) made.published_on = parse_date("2020-01-0" + std::to_string(n));
    (void)run(books.insert(made)).value();
  }
  app server;
  server.provide(books);
  server.get("/books", &list_books);
  testing::client api(server);
  const auto titles = [&](std::string query) {
    std::string all;
    for (const auto& each : api.get("/books" + query).expect(status::ok).json<data::page_of<book>>().data)
      all += each.title.substr(5);
    return all;
  };
  CHECK(titles("?sort=title") == "01234");
  CHECK(titles("?sort=title:desc&limit=2") == "43");
  CHECK(titles("?copies[gte]=3&sort=title") == "34");
  CHECK(titles("?copies[ne]=3&sort=title") == "0124");
  CHECK(titles("?publishedOn[lt]=2020-01-04&sort=title") == "23");
  CHECK(titles("?publishedOn[ne]=2020-01-04&sort=title") == "0123");  // what is NULL differs, too
  CHECK(titles("?title[contains]=OOK%203") == "3");
  CHECK(titles("?sort=publishedOn,title") == "01234");  // NULL is the least
  api.get("/books?publishedOn=").expect(status::bad_request).expect_violation("/publishedOn", "type");
  const auto page = api.get("/books?copies[lt]=5&sort=title&limit=2&page=2").expect(status::ok);
  const std::string here = "</books?copies%5Blt%5D=5&sort=title&limit=2&page=";
  CHECK(page.header("Link") == here + "1>; rel=\"first\", " + here + "1>; rel=\"prev\", " + here +
                                   "3>; rel=\"next\", " + here + "3>; rel=\"last\"");
  CHECK(page.body().find(R"("meta":{"page":2,"limit":2,"total":5,"totalPages":3})") != std::string::npos);
  api.get("/books?isbn=1&limit=101&copies=many&title[lt]=x")
      .expect(status::bad_request)
      .expect_violation("/isbn", "additionalProperties")
      .expect_violation("/limit", "maximum")
      .expect_violation("/copies", "type");
  CHECK(run(books.count(data::list_query().where("publishedOn", nullptr))) == 2);

  const data::list_rules deep{.filterable = {"copies"}, .sortable = {"createdAt"}, .cursors = true};
  const auto read = [&](std::vector<data::query_pair> pairs) {
    return data::parse_list_query<book>(pairs, deep);
  };
  CHECK(read({{"cursor", "abc"}})->cursor == "abc");
  CHECK_FALSE(read({{"page", "2"}}));
  data::list_query forged;
  forged.cursor = "abc";
  CHECK(run(books.scan(forged)).error().kind() == error_kind::invalid);

  // region: scan
  data::list_query query;
  query.order_by("createdAt");
  query.limit = 2;
  do {
    const auto stretch = testing::run(books.scan(query)).value();
    for (const auto& each : stretch.data) std::printf("%s\n", each.title.c_str());
    query.cursor = stretch.meta.next_cursor;
  } while (query.cursor);
  // end: scan
}

namespace {

int serve(const data::database&) {
  return 0;
}

// region: command
int run_service(const data::database& db, int argc, const char* const* argv) {
  if (const auto done = data::migration_command(db, embedded::migrations(), argc, argv)) return *done;
  return serve(db);
}
// end: command

}  // namespace

TEST_CASE("migrations by command") {
  testing::temporary_database db;
  const char* words[] = {"service", "migrate", "down", "1"};
  CHECK(run_service(*db, 2, words) == 0);
  CHECK(run_service(*db, 4, words) == 0);
  CHECK(run(data::migrations_status(*db, embedded::migrations()))->pending.size() == 1);
  CHECK(run_service(*db, 1, words) == 0);
}

TEST_CASE("migrations without a transaction, and the way down, say how to mend") {
  const auto refusal = [](std::string sql) {
    try {
      data::migration_set().add("0005_e.sql", std::move(sql));
    } catch (const failure& refused) {
      return refused.error().message();
    }
    return std::string();
  };
  CHECK(refusal("-- corbel: no-transaction\n"
                "drop index concurrently if exists books_by_title;\n"
                "create index concurrently books_by_title on books (title);\n") == "");
  CHECK(
      refusal("-- corbel: no-transactions\nvacuum;") ==
      "The migration \"0005_e.sql\" says \"-- corbel: no-transactions\", which is no instruction. Write \"-- "
      "corbel: no-transaction\" on a line of its own, or reword the comment.");
  CHECK(
      refusal("-- corbel: no-transaction\ncreate index concurrently if not exists i on books (title)") ==
      "The migration \"0005_e.sql\" makes the index i CONCURRENTLY and IF NOT EXISTS. An interrupted attempt "
      "leaves an INVALID index, which IF NOT EXISTS would keep for good. Write: drop index concurrently if "
      "exists i; create index concurrently i on ...");

  testing::temporary_database db;
  data::migration_set files;
  files.add("0001_a.sql", "create table a (n integer);");
  CHECK(run(data::migrate(*db, files)));
  CHECK(run(data::migrate_down(*db, files, 0)).error().message() ==
        "Migration 0001_a.sql cannot be undone: it has no down file. Nothing was undone. Write "
        "0001_a.down.sql beside it, or go no further down than to 1.");
  files.add("0002_b.sql", "-- corbel: no-transaction\nvacuum;\ninsert into b values (1);");
  CHECK(run(data::migrate(*db, files)).error().message() ==
        "Migration 0002_b.sql failed: SQLite: no such table: b (code 1) in: the statement at line 3. It runs "
        "without a transaction, so the statements before that one are done. Mend the file and start again: "
        "it runs from its beginning.");
}

TEST_CASE("migrations keep their history") {
  testing::temporary_database db;
  testing::fake_clock clock;
  data::migration_set files;
  files.add("0001_a.sql", "create table a (n integer);").add("0003_c.sql", "create table c (n integer);");
  CHECK(run(data::migrate(*db, files, clock))->size() == 2);
  const auto said = [&](const data::migration_set& now) {
    const auto outcome = run(data::migrate(*db, now, clock));
    return outcome ? std::string() : outcome.error().code() + ": " + outcome.error().message();
  };
  CHECK(said(files) == "");
  // The page shows these texts, with shortened checksums.
  CHECK(
      said(data::migration_set().add("0001_a.sql", "create table b (n integer);")) ==
      "migration_edited: Migration 0001_a.sql was changed after it was applied on 2026-01-02T03:04:05.000Z. "
      "Restore the file as it was then (SHA-256 "
      "26bded0c03350543ad20384a03f5139f0af1638103e107272ec97226285d5c62, now "
      "1c43bcfee0e64e4577cb2e90eb866d613f563c555e2f84a0dfe6fc23e2f4109d) and put the change into a new "
      "migration.");
  CHECK(
      said(data::migration_set().add("0001_a.sql", "create table a (n integer);")) ==
      "migration_missing: Migration 0003_c.sql was applied to this database on 2026-01-02T03:04:05.000Z but "
      "is not among the files. Restore the file, or run the newer program that brought it.");
  auto late = files;
  late.add("0002_b.sql", "");
  CHECK(said(late) ==
        "migration_out_of_order: Migration 0002_b.sql is new, but 0003_c.sql with a higher number is applied "
        "already. Give the new file a number above 3.");
  auto broken = files;
  broken.add("0004_d.sql", "create table d (n integer);\ncreate table d (n integer);");
  CHECK(
      said(broken) ==
      "migration_failed: Migration 0004_d.sql failed and left no trace: SQLite: table d already exists (code "
      "1) in: the statement at line 2. Mend the file and start again.");
  CHECK(run(db->query_one<int>("select count(*) from sqlite_master where name = 'd'")) == 0);
  CHECK(said(data::migration_set(files).add("0004_e.sql", "create table e (n integer); commit;"))
            .find("take BEGIN, COMMIT and ROLLBACK out") != std::string::npos);
  // region: status
  const auto status = testing::run(data::migrations_status(*db, files));
  if (status)
    for (const auto& each : status->pending) std::printf("pending: %s\n", each.file().c_str());
  else
    std::printf("%s\n", status.error().message().c_str());
  // end: status
  CHECK(status->pending.empty());
  CHECK(status->applied.size() == 2);
}
