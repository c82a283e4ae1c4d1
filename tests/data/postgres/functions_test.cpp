// A select may call a function that does more than read. The text does not tell, the catalog does.

#include <algorithm>
#include <stdexcept>

#include "corbel/data/postgres/errors.hpp"
#include "support/proxy.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

/// `one_more` writes, `set_mode` leaves a setting on its session, `double_of` and `read_mode` only compute
/// and read.
void make_functions(const data::database& db) {
  const char* const scripts[] = {
      "create table calls (n integer)",
      "create function one_more(n integer) returns integer language sql as 'insert into calls values (n); "
      "select n'",
      "create function \"Set Mode\"(mode text) returns text language plpgsql as "
      "'begin perform set_config(''app.mode'', mode, false); return mode; end'",
      "create function double_of(n integer) returns integer immutable language sql as 'select 2 * n'",
  };
  for (const auto* sql : scripts) run(db.execute(data::trusted(sql)));
}

task<void> call_one(data::source on, int n, int* got) {
  *got = (co_await on.query_one<int>("select one_more($1)", n)).value();
}
task<void> divide(data::source on, int by) {
  (void)co_await on.query_one<int>("select 1 / $1::int", by);
}
task<void> next_value(data::source on, std::vector<int>* got) {
  got->push_back((co_await on.query_one<int>("select nextval('numbers')")).value());
}

}  // namespace

TEST_CASE("what a function has written is unknown when its answer is lost, and what one has read is not") {
  const temporary_postgres own;
  make_functions(*own);
  proxy between(own.url());
  const auto db = postgres::open(between.in(own.url()) + "?connections=1");
  const auto lost = [&](auto ask, const std::string& marked) {
    side_by_side all;
    auto& before = all.start(ask(db));
    all.run();
    CHECK_FALSE(before.thrown);
    between.swallow_answer_to(marked);
    auto& asked = all.start(ask(db));
    all.run();
    CHECK(between.swallowed());
    return asked.failed().value();
  };
  const auto writing = lost(
      [](data::database on) -> task<void> {
        (void)co_await on.query_one<int>("select one_more($1) + length($2)", 7, "marked-a");
      },
      "marked-a");
  CHECK(writing.code() == "commit_unknown");
  CHECK(one<int>(*own, "select count(*) from calls") == 2);
  const auto reading = lost(
      [](data::database on) -> task<void> {
        (void)co_await on.query_one<int>("select double_of($1) + length($2)", 7, "marked-b");
      },
      "marked-b");
  CHECK(reading.code() == "database_unavailable");
  db.stop();
}

TEST_CASE("a function that writes is called once, whatever fails beside it") {
  const temporary_postgres own("connections=1");
  make_functions(*own);
  run(own->execute("create sequence numbers"));
  side_by_side all;
  std::vector<int> numbers;
  int got = 0;
  // Often enough that each is known to be quick, and would share a Sync if it could.
  all.start([](data::source on, std::vector<int>* drawn, int* last) -> task<void> {
    for (int i = 0; i < 30; ++i) {
      co_await next_value(on, drawn);
      co_await call_one(on, 0, last);
      co_await divide(on, 1);
    }
  }(*own, &numbers, &got));
  all.run();
  numbers.clear();
  for (int i = 1; i <= 50; ++i) {
    all.start(next_value(*own, &numbers));
    all.start(call_one(*own, i, &got));
    all.start(divide(*own, i % 5));
  }
  all.run();
  CHECK(one<int>(*own, "select count(*) from calls") == 80);
  std::sort(numbers.begin(), numbers.end());
  REQUIRE(numbers.size() == 50);
  CHECK(numbers.front() == 31);
  CHECK(numbers.back() == 80);
}

TEST_CASE("what a function leaves on its session, nobody else meets") {
  const temporary_postgres own("connections=1&pipeline=1024");
  make_functions(*own);
  side_by_side all;
  int foreign = 0;
  const auto set = [](data::database on, int n) -> task<void> {
    const auto mode = std::to_string(n);
    const auto given = co_await on.query_one<std::string>("select \"Set Mode\"($1)", mode);
    if (given != mode) throw std::domain_error("another one's mode");
  };
  const auto look = [](data::database on, int* wrong) -> task<void> {
    const auto seen =
        co_await on.query_one<std::string>("select coalesce(current_setting('app.mode', true), '')");
    if (seen != "") ++*wrong;
  };
  // Cancellations may hit what puts the session in order: it is put in order all the same.
  for (int round = 0; round < 20; ++round) {
    std::vector<side_by_side::one*> doomed;
    for (int n = 0; n < 10; ++n) {
      all.start(look(*own, &foreign));
      auto& setter = all.start(set(*own, n));
      if (n % 3 == 0) doomed.push_back(&setter);
      all.start(look(*own, &foreign));
    }
    for (auto* each : doomed) {
      all.run_for(std::chrono::milliseconds(round % 3));
      each->stop();
    }
    all.run();
  }
  for (const auto& each : all.all())
    if (const auto failed = each.failed()) FAIL_CHECK(failed->cause());
  CHECK(foreign == 0);
}
