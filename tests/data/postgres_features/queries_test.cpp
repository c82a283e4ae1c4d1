#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "corbel/base/describe/describe.hpp"
#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/data/repository.hpp"
#include "corbel/testing/database.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

using namespace corbel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace queries {

struct job {
  std::int64_t id = 0;
  std::string name;
  bool done = false;
};
constexpr auto describe(tag<job>) {
  using namespace rules;
  return object(field("id", &job::id), field("name", &job::name), field("done", &job::done));
}
constexpr auto table(tag<job>) {
  return data::table("jobs");
}

struct article {
  std::int64_t id = 0;
  std::string title;
  std::string body;
  std::optional<timestamp> deleted_at;
};
constexpr auto describe(tag<article>) {
  using namespace rules;
  using a = article;
  return object(field("id", &a::id), field("title", &a::title), field("body", &a::body),
                field("deletedAt", &a::deleted_at));
}
constexpr auto table(tag<article>) {
  return data::table("articles").soft_delete("deletedAt");
}

}  // namespace queries

namespace {

using queries::article;
using queries::job;

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

void create_jobs(const postgres::database& pg) {
  testing::run(pg.execute("create table jobs (id bigint primary key, name text, done boolean)"));
  testing::run(pg.execute("insert into jobs select n, 'job ' || n, false from generate_series(1, 5) n"));
}

}  // namespace

TEST_CASE("workers that claim rows of a queue never get the same") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create_jobs(pg);
  testing::run([](postgres::database db) -> task<> {
    auto open = data::list_query().where("done", false);
    open.limit = 2;
    auto one = co_await db.begin();
    auto two = co_await db.begin();
    const auto first = co_await db.claim<job>(one, open);
    const auto second = co_await db.claim<job>(two, open);
    REQUIRE(first.size() == 2);
    REQUIRE(second.size() == 2);
    CHECK(first[0].id == 1);
    CHECK(second[0].id == 3);
    const auto taken = co_await db.get_locked<job>(two, 1, postgres::locked_rows::skip);
    CHECK(taken.error().code() == "job_not_found");
    const auto none = co_await db.get_locked<job>(two, 77);
    CHECK(none.error().code() == "job_not_found");
    std::string code;
    try {
      (void)co_await db.get_locked<job>(two, 1, postgres::locked_rows::no_wait);
    } catch (const failure& f) {
      code = f.error().code();
    }
    CHECK(code == "row_locked");
    one.rollback();
    auto three = co_await db.begin();
    const auto again = co_await db.get_locked<job>(three, 1);
    CHECK(again->name == "job 1");
  }(pg));
}

TEST_CASE("what needs Postgres says so before it asks another database") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const testing::temporary_database sqlite;
  CHECK(failure_of([&] { (void)postgres::database(*sqlite); }).code() == "postgres_needed");
  const auto locks = failure_of([&] {
    testing::run([](postgres::database db, data::database other) -> task<> {
      auto tx = co_await other.begin();
      (void)co_await db.get_locked<job>(tx, 1);
    }(pg, *sqlite));
  });
  CHECK(locks.code() == "postgres_needed");
}

TEST_CASE("a vector where the extension is missing is said at the start, and in the log of whoever asks") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  testing::run(pg.execute("drop extension if exists vector cascade"));
  const auto at_start = failure_of([&] { pg.require_extension_now("vector"); });
  CHECK(at_start.code() == "extension_needed");
  CHECK(at_start.message().find("\"vector\"") != std::string::npos);
  const auto asked = failure_of([&] {
    testing::run(pg.query_one<std::string>("select $1::vector", std::vector<float>{1, 2}));
  });
  CHECK(asked.kind() == error_kind::internal);
  CHECK(asked.cause().find("type \"vector\" does not exist") != std::string::npos);
  CHECK(asked.message().find("vector") == std::string::npos);
}

TEST_CASE("a search gives the best first, and highlights that cannot inject") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  testing::run(
      pg.execute("create table articles (id bigint primary key, title text, body text, deleted_at "
                 "timestamptz, search tsvector "
                 "generated always as (setweight(to_tsvector('english', title), 'A') || "
                 "to_tsvector('english', body)) stored)"));
  testing::run(pg.execute(
      "insert into articles (id, title, body, deleted_at) values "
      "(1, 'Rockets', 'A <b onclick=\"x()\">rocket</b> & its \uE000fuel\uE001', null), "
      "(2, 'Gardens', 'Flowers; a rocket < 3 \"salads\" & it''s', null), (3, 'Rocket', 'gone', now())"));
  postgres::text_search what;
  what.text = "rockets";
  what.highlight = "body";
  const auto hits = testing::run(pg.search<article>(what));
  REQUIRE(hits.size() == 2);
  CHECK(hits[0].row.id == 1);
  CHECK(hits[0].rank > hits[1].rank);
  // The parser drops tags; what it leaves is escaped.
  CHECK(hits[0].highlight.find("<mark>rocket</mark>") != std::string::npos);
  CHECK(hits[0].highlight.find("<b") == std::string::npos);
  CHECK(hits[0].highlight.ends_with(" &amp; its fuel"));
  CHECK(hits[1].highlight.starts_with("Flowers; a <mark>rocket</mark> &lt; 3 &quot;salads"));
  what.text = "rocket -salad";
  what.highlight = "";
  const auto without = testing::run(pg.search<article>(what));
  REQUIRE(without.size() == 1);
  CHECK(without[0].highlight.empty());
  what.text = "the '\" | & ! (";
  CHECK(testing::run(pg.search<article>(what)).empty());
  what.vector = "no such \" column";
  CHECK(failure_of([&] { testing::run(pg.search<article>(what)); }).kind() == error_kind::internal);
}

TEST_CASE("explain measures, and leaves nothing changed") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create_jobs(pg);
  const auto plan = testing::run(pg.explain("delete from jobs where id > $1", 2));
  CHECK(plan.at("Plan").at("Node Type") == "ModifyTable");
  CHECK(plan.at("Execution Time").is_number());
  CHECK(testing::run(pg.query_one<int>("select count(*) from jobs")) == 5);
  CHECK(failure_of([&] { testing::run(pg.explain("drop table jobs")); }).kind() == error_kind::internal);
}

TEST_CASE("a materialized view is refreshed, at once and for ever, by one of many") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  create_jobs(pg);
  testing::run(pg.execute("create materialized view \"Job \"\"count\" as select count(*) as n from jobs"));
  testing::run(pg.execute("create unique index on \"Job \"\"count\" (n)"));
  testing::run(pg.execute("delete from jobs where id = 1"));
  const auto seen = [&] { return testing::run(pg.query_one<int>("select n from \"Job \"\"count\"")); };
  CHECK(seen() == 5);
  testing::run(pg.refresh("Job \"count"));
  CHECK(seen() == 4);
  testing::run(pg.execute("delete from jobs where id = 2"));
  testing::run(pg.refresh("public.Job \"count", true));
  CHECK(seen() == 3);
  CHECK(failure_of([&] { testing::run(pg.refresh("jobs")); }).kind() == error_kind::internal);

  testing::run(pg.execute("create table turns (at timestamptz default clock_timestamp())"));
  testing::run(pg.execute(
      "create function tick() returns int language plpgsql volatile as $$ begin insert into turns default "
      "values; return 1; end $$"));
  testing::run(pg.execute("create materialized view ticking as select tick() as n with no data"));
  testing::run([](postgres::database db) -> task<> {
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop[2];
    int ended = 0;
    auto keeps = [](postgres::database which, int* out) -> task<> {
      postgres::refresh_schedule how;
      how.every = 100ms;
      how.concurrently = false;
      try {
        co_await which.refresh_every("ticking", how);
      } catch (const boost::system::system_error&) {
        ++*out;
      }
    };
    for (auto& one : stop)
      asio::co_spawn(executor, keeps(db, &ended), asio::bind_cancellation_slot(one.slot(), asio::detached));
    const auto began = std::chrono::steady_clock::now();
    std::optional<int> turns;
    do {
      co_await pause(50ms);
      turns = co_await db.query_one<int>("select count(*) from turns");
    } while (*turns < 6 && std::chrono::steady_clock::now() - began < 20s);
    CHECK(*turns >= 6);
    // Two that do not know of each other would be through in half the time.
    CHECK(std::chrono::steady_clock::now() - began > 400ms);
    stop[0].emit(asio::cancellation_type::terminal);
    const auto last = *turns;
    const auto left = std::chrono::steady_clock::now();
    do {
      co_await pause(50ms);
      turns = co_await db.query_one<int>("select count(*) from turns");
    } while (*turns < last + 2 && std::chrono::steady_clock::now() - left < 20s);
    CHECK(*turns >= last + 2);
    stop[1].emit(asio::cancellation_type::terminal);
    co_await pause(50ms);
    CHECK(ended == 2);
  }(pg));
}

TEST_CASE("views are refreshed by one loop beside its statements, with one connection for those") {
  const testing::temporary_postgres own("connections=1&checkout_timeout=1s");
  const postgres::database pg(*own);
  testing::run(pg.execute("create table turns (view int)"));
  testing::run(
      pg.execute("create function tick(int) returns int language sql volatile as "
                 "'insert into turns values ($1) returning 1'"));
  for (const auto* view : {"1", "2", "3"}) {
    const data::trusted make("create materialized view v" + std::string(view) + " as select tick(" + view +
                             ") as n with no data");
    testing::run(pg.execute(make));
  }
  testing::run([](postgres::database db) -> task<> {
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop[3];
    std::vector<error> failed;
    auto keeps = [](postgres::database which, std::string view, std::vector<error>* out) -> task<> {
      postgres::refresh_schedule how;
      how.every = 50ms;
      how.concurrently = false;
      how.on_error = [out](const error& e) { out->push_back(e); };
      co_await which.refresh_every(std::move(view), how);
    };
    for (int i = 0; i < 3; ++i)
      asio::co_spawn(executor, keeps(db, "v" + std::to_string(i + 1), &failed),
                     asio::bind_cancellation_slot(stop[i].slot(), asio::detached));
    int least = 0;
    for (int tries = 0; tries < 100 && least < 3; ++tries) {
      co_await pause(50ms);
      least = (co_await db.query_one<int>("select coalesce(min(n), 0) from (select count(t.view) as n from "
                                          "generate_series(1, 3) v left join turns t on t.view = v group by "
                                          "v) each"))
                  .value_or(-1);
    }
    CHECK(least >= 3);
    CHECK(failed.empty());
    for (auto& one : stop) one.emit(asio::cancellation_type::terminal);
    co_await pause(50ms);
  }(pg));
}

TEST_CASE("an extension that is missing is found at the start, with what to do") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  pg.require_extension_now("plpgsql");
  const auto missing = failure_of([&] { pg.require_extension_now("vector"); });
  CHECK(missing.code() == "extension_needed");
  CHECK(missing.message().find("\"vector\"") != std::string::npos);
  CHECK(missing.message().find("install its package") != std::string::npos);
  const auto there = failure_of([&] { testing::run(pg.require_extension("pg_trgm")); });
  CHECK(there.message().find("create extension \"pg_trgm\"") != std::string::npos);
}

TEST_CASE("a vector travels as the text that pgvector has, and JSONB conditions take parameters") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  // A stand-in: pgvector's own type has this text form.
  testing::run(pg.execute("create domain vector as text check (value ~ '^\\[[-0-9.e,]+\\]$')"));
  testing::run(pg.execute("create table items (embedding vector, tags jsonb)"));
  const std::vector<float> embedding{0.5F, -1.25F, 3.0e-5F};
  testing::run(pg.execute("insert into items values ($1::vector, $2)", embedding,
                          nlohmann::json{{"color", "red"}, {"size", 3}}));
  CHECK(testing::run(pg.query_one<std::vector<float>>("select embedding from items")) == embedding);
  const auto count = [&](const char* what, auto sql, auto arg) {
    CAPTURE(what);
    return testing::run(pg.query_one<int>(sql, arg)).value_or(-1);
  };
  const data::trusted contains("select count(*) from items where tags @> $1::jsonb");
  const data::trusted has("select count(*) from items where tags ? $1");
  const data::trusted path("select count(*) from items where tags @? $1::jsonpath");
  CHECK(count("contains", contains, nlohmann::json{{"color", "red"}}) == 1);
  CHECK(count("contains", contains, nlohmann::json{{"color", "blue"}}) == 0);
  CHECK(count("key", has, std::string("size")) == 1);
  CHECK(count("key", has, std::string("weight")) == 0);
  CHECK(count("path", path, std::string("$.size ? (@ > 2)")) == 1);
}
