#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "corbel/base/describe/describe.hpp"
#include "corbel/base/time.hpp"
#include "corbel/data/constraint.hpp"
#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/data/repository.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

using namespace corbel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace copying {

struct sample {
  std::int64_t id = 0;
  std::string display_name;
  std::optional<std::string> note;
  data::blob bytes;
  std::vector<std::string> tags;
  std::vector<std::optional<int>> marks;
  double ratio = 0;
  bool done = false;
  timestamp created_at{};
  friend bool operator==(const sample&, const sample&) = default;
};
constexpr auto describe(tag<sample>) {
  using namespace rules;
  using s = sample;
  return object(field("id", &s::id), field("displayName", &s::display_name), field("note", &s::note),
                field("bytes", &s::bytes), field("tags", &s::tags), field("marks", &s::marks),
                field("ratio", &s::ratio), field("done", &s::done), field("createdAt", &s::created_at));
}

struct pair {
  std::int64_t id = 0;
  std::string name;
};
constexpr auto describe(tag<pair>) {
  using namespace rules;
  return object(field("id", &pair::id), field("name", &pair::name));
}
constexpr auto table(tag<pair>) {
  return data::table("pairs");
}

}  // namespace copying

namespace {

using copying::pair;
using copying::sample;

void create(const postgres::database& pg) {
  testing::run(pg.execute(
      "create table \"Odd \"\"samples\" (id bigint primary key, display_name text not null, note text, bytes "
      "bytea, "
      "tags text[], marks int[], ratio float8, done boolean, created_at timestamptz, extra int default 7)"));
  testing::run(
      pg.execute("create table pairs (id bigint primary key, name text not null check (name <> 'bad'))"));
}

std::vector<sample> samples() {
  std::vector<sample> all(4);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].id = static_cast<std::int64_t>(i);
  all[0].display_name = "tab\there, line\nfeed, return\r, back\\slash \\N \\. é €";
  all[0].note = "\\N";
  for (int i = 0; i < 256; ++i) all[0].bytes.push_back(static_cast<std::byte>(i));
  all[0].tags = {"a", "with \"quotes\"", "back\\slash", "tab\t", "{x,y}", "", "NULL", "ids[]=5"};
  all[0].marks = {1, std::nullopt, -3};
  all[1].note = "";
  all[1].ratio = 0.1;
  all[1].done = true;
  all[2].display_name = "\\.";
  all[2].ratio = std::numeric_limits<double>::infinity();
  all[3].display_name = std::string(200'000, 'x');
  for (auto& one : all) one.created_at = timestamp(std::chrono::milliseconds(1'700'000'000'123));
  return all;
}

std::vector<pair> pairs(int count) {
  std::vector<pair> all(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    all[static_cast<std::size_t>(i)].id = i;
    all[static_cast<std::size_t>(i)].name = "name " + std::to_string(i);
  }
  return all;
}

template <class T>
task<std::vector<T>> collect(postgres::row_stream<T>& from) {
  std::vector<T> all;
  for (;;) {
    auto one = co_await from.next();
    if (!one) co_return all;
    all.push_back(std::move(*one));
  }
}

template <class Work>
error failure_of(Work work) {
  try {
    work();
  } catch (const failure& f) {
    return f.error();
  }
  return internal_error("it did not fail");
}

task<> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

std::int64_t count(const postgres::database& pg) {
  return testing::run(pg.query_one<std::int64_t>("select count(*) from pairs")).value_or(-1);
}

}  // namespace

TEST_CASE("described rows go in and come out as they were") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  CHECK(testing::run(pg.copy_in("Odd \"samples", samples())) == 4);
  CHECK(testing::run(pg.query<sample>("select * from \"Odd \"\"samples\" order by id")) == samples());
  const auto out = testing::run([](postgres::database db) -> task<std::vector<sample>> {
    auto rows = co_await db.copy_out<sample>(
        "select * from \"Odd \"\"samples\" where id >= $1 and note is distinct from $2 order by id -- all", 0,
        "it's \\ $1");
    co_return co_await collect(rows);
  }(pg));
  CHECK(out == samples());
  CHECK(testing::run(pg.query_one<int>("select sum(extra) from \"Odd \"\"samples\"")) == 28);
  CHECK(testing::run(pg.copy_in("pairs", std::vector<pair>())) == 0);
  CHECK(testing::run(pg.copy_in("public.pairs", pairs(1))) == 1);
}

TEST_CASE("a hundred thousand rows go in and come out in order") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  using steady = std::chrono::steady_clock;
  const auto since = [](steady::time_point t) {
    return std::chrono::duration<double>(steady::now() - t).count();
  };
  auto began = steady::now();
  CHECK(testing::run(pg.copy_in("pairs", pairs(100'000))) == 100'000);
  const auto copied = since(began);
  began = steady::now();
  const auto in_order = testing::run([](postgres::database db) -> task<std::int64_t> {
    auto rows = co_await db.copy_out<pair>("select id, name from pairs order by id");
    std::int64_t next = 0;
    for (;;) {
      const auto one = co_await rows.next();
      if (!one) co_return next;
      if (one->id == next && one->name == "name " + std::to_string(next)) ++next;
    }
  }(pg));
  CHECK(in_order == 100'000);
  const auto read = since(began);
  testing::run(pg.execute("truncate pairs"));
  auto some = pairs(100'001);
  some.erase(some.begin());
  began = steady::now();
  CHECK(testing::run(data::repository<pair>(pg).insert_many(std::move(some))).has_value());
  const auto inserted = since(began);
  MESSAGE("100,000 rows: copy_in " << copied << " s, copy_out " << read << " s, insert_many " << inserted
                                   << " s (" << inserted / copied << " times copy_in)");
}

TEST_CASE("a broken constraint is typed, and nothing is stored") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  auto twice = pairs(50'000);
  twice.back().id = 7;
  const auto unique = failure_of([&] { testing::run(pg.copy_in("pairs", twice)); });
  REQUIRE(data::constraint_of(unique));
  CHECK(data::constraint_of(unique)->is_unique_on("id"));
  CHECK(count(pg) == 0);
  auto bad = pairs(10);
  bad[3].name = "bad";
  CHECK(failure_of([&] { testing::run(pg.copy_in("pairs", bad)); }).code() == "check_violation");
  CHECK(failure_of([&] { testing::run(pg.copy_in("pairz", bad)); }).kind() == error_kind::internal);
  CHECK(failure_of([&] { testing::run(pg.copy_in("", bad)); }).code() == "bad_name");
  CHECK(testing::run(pg.copy_in("pairs", pairs(10))) == 10);
}

TEST_CASE("text goes in by pieces, and is kept only when it is finished") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  testing::run([](postgres::database db) -> task<> {
    auto in = co_await db.copy_in_text("copy pairs (id, name) from stdin with (format csv, header)");
    co_await in.write("id,na");
    co_await in.write("me\n1,\"a, \"\"b\"\"\"\n2,");
    co_await in.write("c\n");
    const auto rows = co_await in.finish();
    CHECK(rows == 2);
    auto left = co_await db.copy_in_text("copy pairs (id, name) from stdin");
    co_await left.write("3\tx\n");
  }(pg));
  CHECK(testing::run(pg.query<std::string>("select name from pairs order by id")) ==
        std::vector<std::string>{"a, \"b\"", "c"});
  const auto broken = failure_of([&] {
    testing::run([](postgres::database db) -> task<> {
      auto in = co_await db.copy_in_text("copy pairs (id, name) from stdin");
      co_await in.write("9\tx\nseven\ty\n");
      (void)co_await in.finish();
    }(pg));
  });
  CHECK(broken.kind() == error_kind::malformed);
  CHECK(failure_of([&] { testing::run(pg.copy_in_text("select 1")); }).cause().find("FROM STDIN") !=
        std::string::npos);
  CHECK(count(pg) == 2);
}

TEST_CASE("text comes out by pieces, with values that cannot break out") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  testing::run(pg.copy_in("pairs", pairs(50'000)));
  testing::run([](postgres::database db) -> task<> {
    auto out = co_await db.copy_out_text(
        "copy (select id, name || $1 as \"n$1\" from pairs where id < $2 order by id) to stdout with (format "
        "csv, "
        "header)",
        "', \\' --", 40'000);
    std::string all;
    int pieces = 0;
    for (;;) {
      const auto piece = co_await out.next();
      if (!piece) break;
      CHECK(piece->ends_with('\n'));
      all += *piece;
      ++pieces;
    }
    CHECK(pieces > 5);
    CHECK(all.starts_with("id,n$1\n0,\"name 0', \\' --\"\n1,"));
    CHECK(std::count(all.begin(), all.end(), '\n') == 40'001);
    const auto after = co_await out.next();
    CHECK_FALSE(after);
  }(pg));
}

TEST_CASE("a stream that is dropped gives its thread back, and an error in the middle is told") {
  const testing::temporary_postgres own("threads=1");
  const postgres::database pg(*own);
  create(pg);
  testing::run(pg.copy_in("pairs", pairs(50'000)));
  for (int i = 0; i < 3; ++i) {
    testing::run([](postgres::database db) -> task<> {
      auto rows = co_await db.copy_out<pair>("select a.id, a.name from pairs a, pairs b");
      (void)co_await rows.next();
    }(pg));
  }
  const auto broken = failure_of([&] {
    testing::run([](postgres::database db) -> task<> {
      auto rows =
          co_await db.copy_out<pair>("select id, name || (1 / (id - 40000)) as name from pairs order by id");
      (void)co_await collect(rows);
    }(pg));
  });
  CHECK(broken.cause().find("division by zero") != std::string::npos);
  CHECK(testing::run(pg.copy_in("pairs", std::vector<pair>(1, pair{-1, "x"}))) == 1);
}

TEST_CASE("cancelling a copy stores nothing") {
  const testing::temporary_postgres own("threads=1");
  const postgres::database pg(*own);
  create(pg);
  testing::run([](postgres::database db) -> task<> {
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    bool aborted = false;
    auto copies = [](postgres::database to, bool* out) -> task<> {
      try {
        (void)co_await to.copy_in("pairs", pairs(2'000'000));
      } catch (const boost::system::system_error&) {
        *out = true;
      }
    };
    asio::co_spawn(executor, copies(db, &aborted), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    co_await pause(400ms);
    stop.emit(asio::cancellation_type::terminal);
    const auto before = std::chrono::steady_clock::now();
    const auto stored = co_await db.copy_in("pairs", pairs(5));
    CHECK(stored == 5);
    CHECK(aborted);
    CHECK(std::chrono::steady_clock::now() - before < 2s);
  }(pg));
  CHECK(count(pg) == 5);
}

TEST_CASE("lists are arrays where the query has arrays, and JSON where it has JSON") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  testing::run(pg.execute("create type mood as enum ('glad', 'sad')"));
  testing::run(pg.copy_in("pairs", pairs(10)));
  const std::vector<int> some{1, 2, 77};
  const std::vector<std::string> texts{"[1]=x", "it's \\ {}"};
  const std::vector<std::string> glad{"glad"};
  testing::run([](postgres::database db, std::vector<int> numbers, std::vector<std::string> lines,
                  std::vector<std::string> moods) -> task<> {
    auto rows = co_await db.copy_out<pair>(
        "select id, name from pairs where id = any($1) and $2 <> 'x' and 'sad' <> all($3::mood[])", numbers,
        "[1,2]", moods);
    const auto got = co_await collect(rows);
    CHECK(got.size() == 2);
    auto text = co_await db.copy_out_text(
        "/* of (some) */ copy (select t, ($2::jsonb ->> 1) from unnest($1::text[]) t) to stdout (format csv)",
        lines, numbers);
    std::string all;
    while (const auto piece = co_await text.next()) all += *piece;
    CHECK(all == "[1]=x,2\nit's \\ {},2\n");
  }(pg, some, texts, glad));
}

TEST_CASE("a number that is none travels, whatever its sign") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  testing::run([](postgres::database db) -> task<> {
    auto text = co_await db.copy_out_text("copy (select $1::float8, $2::float8) to stdout",
                                          -std::numeric_limits<double>::quiet_NaN(),
                                          -std::numeric_limits<double>::infinity());
    const auto piece = co_await text.next();
    CHECK(piece == "NaN\t-Infinity\n");
  }(pg));
  create(pg);
  auto one = samples();
  one.resize(2);
  one[1].ratio = -std::numeric_limits<double>::quiet_NaN();
  CHECK(testing::run(pg.copy_in("Odd \"samples", one)) == 2);
}

TEST_CASE("what stands behind a COPY cannot undo it after it was reported") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create(pg);
  testing::run(
      pg.execute("alter table pairs add constraint late unique (name) deferrable initially deferred"));
  for (const auto* sql :
       {"copy pairs (id, name) from stdin; select 1/0", "select 1; copy pairs from stdin"}) {
    const auto refused =
        failure_of([&] { testing::run(pg.copy_in_text(data::sql_text<0>(data::trusted(sql)))); });
    CHECK(refused.cause().find("one statement") != std::string::npos);
  }
  const auto two = failure_of([&] { testing::run(pg.copy_out_text("copy pairs to stdout; select 1")); });
  CHECK(two.cause().find("one statement") != std::string::npos);
  // Nor can the end of its transaction.
  const auto late = failure_of([&] {
    testing::run([](postgres::database db) -> task<> {
      auto in = co_await db.copy_in_text("copy pairs (id, name) from stdin;");
      co_await in.write("1\tx\n2\tx\n");
      (void)co_await in.finish();
    }(pg));
  });
  CHECK(late.code() == "unique_violation");
  CHECK(count(pg) == 0);
  CHECK(testing::run(pg.copy_in("pairs", pairs(3))) == 3);
}

TEST_CASE("what a copied query leaves on its session is gone before the next") {
  const testing::temporary_postgres own("threads=1");
  const postgres::database pg(*own);
  const auto first = [](postgres::database db, data::sql_text<0> sql) -> task<std::string> {
    auto text = co_await db.copy_out_text(sql);
    std::string all;
    while (const auto piece = co_await text.next()) all += *piece;
    co_return all;
  };
  const auto pid = testing::run(first(pg, "copy (select pg_backend_pid()) to stdout"));
  testing::run(first(pg,
                     "copy (select set_config('role', 'pg_read_all_data', false), "
                     "set_config('work_mem', '77kB', false), pg_advisory_lock(7)) to stdout"));
  CHECK(testing::run(first(pg,
                           "copy (select current_user <> session_user, current_setting('work_mem') = '77kB', "
                           "(select count(*) from pg_locks where locktype = 'advisory')) to stdout")) ==
        "f\tf\t0\n");
  CHECK(testing::run(first(pg, "copy (select pg_backend_pid()) to stdout")) == pid);
}
