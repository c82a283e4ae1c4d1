// Whoever is cancelled stops waiting at once, the server stops its work, and nobody else notices.

#include <random>

#include "corbel/data/postgres/errors.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

task<void> nap(data::source on, int milliseconds) {
  (void)co_await on.query_one<data::value>("select pg_sleep($1::float8 / 1000)", milliseconds);
}
task<void> answer(data::source on, int n, int* wrong) {
  const auto got = co_await on.query_one<int>("select $1::int", n);
  if (got != n) ++*wrong;
}
task<void> insert(data::source on, int n) {
  co_await on.execute("insert into numbers values ($1)", n);
}
task<void> insert_slowly(data::source on, int n) {
  co_await on.execute("insert into numbers select $1::int from pg_sleep(0.002)", n);
}
/// Watches from a connection of its own until as many sleep as are expected.
task<void> await_naps(data::source watcher, int expected) {
  for (;;) {
    const auto now = co_await watcher.query_one<int>(
        "select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep($1%' "
        "and "
        "datname = current_database()");
    if (now == expected) co_return;
    co_await pause(2ms);
  }
}
task<void> backend(data::source on, int* pid) {
  *pid = (co_await on.query_one<int>("select pg_backend_pid()")).value();
}

}  // namespace

TEST_CASE("a cancelled statement stops on the server within 100 ms, and its connection goes on") {
  const temporary_postgres own("connections=1");
  const auto watcher = postgres::open(own.url());
  side_by_side all;
  int pid = 0;
  all.start(backend(*own, &pid));
  all.run();
  auto shortest = std::chrono::steady_clock::duration::max();
  // The machine may be busy with others: one of a few has to be as quick as that.
  for (int tries = 0; tries < 5; ++tries) {
    auto& sleeper = all.start(nap(*own, 30'000));
    auto& asleep = all.start(await_naps(watcher, 1));
    REQUIRE(all.run_until([&] { return asleep.ended; }));
    const auto since = std::chrono::steady_clock::now();
    sleeper.stop();
    all.start(await_naps(watcher, 0));
    all.run(20s);
    shortest = std::min(shortest, std::chrono::steady_clock::now() - since);
    CHECK(sleeper.cancelled());
    // The same connection.
    int after = 0;
    auto& next = all.start(backend(*own, &after));
    all.run();
    CHECK_FALSE(next.thrown);
    CHECK(after == pid);
  }
  CHECK(shortest < 100ms);
  watcher.stop();
}

TEST_CASE("a cancelled statement that waits in the pool never runs") {
  const temporary_postgres own("connections=1&checkout_timeout=20s");
  run(own->execute("create table numbers (n integer primary key)"));
  side_by_side all;
  auto& sleeper = all.start(nap(*own, 300));
  all.run_for(100ms);
  auto& waiting = all.start(insert(*own, 1));
  all.run_for(20ms);
  waiting.stop();
  CHECK(all.run_until([&] { return waiting.ended; }, 100ms));
  CHECK(waiting.cancelled());
  CHECK_FALSE(sleeper.ended);
  all.run();
  CHECK_FALSE(sleeper.thrown);
  CHECK(one<int>(*own, "select count(*) from numbers") == 0);
}

TEST_CASE("statements beside cancelled ones are done once, and give what they should") {
  const temporary_postgres own("connections=1&pipeline=1024");
  run(own->execute("create table numbers (n integer primary key)"));
  side_by_side all;
  std::minstd_rand random(1);
  int wrong = 0;
  int next = 0;
  int kept = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<side_by_side::one*> innocent;
    std::vector<side_by_side::one*> doomed;
    for (int i = 0; i < 30; ++i) {
      innocent.push_back(&all.start(insert(*own, ++next)));
      innocent.push_back(&all.start(answer(*own, next, &wrong)));
      if (i % 5 == 0) {
        innocent.push_back(&all.start(insert_slowly(*own, ++next)));
        doomed.push_back(&all.start(nap(*own, 3)));
      }
    }
    for (auto* each : doomed) {
      all.run_for(std::chrono::milliseconds(random() % 6));
      each->stop();
    }
    all.run();
    for (const auto* each : innocent) {
      if (const auto failed = each->failed()) FAIL_CHECK(failed->cause());
      if (each->thrown) break;
    }
    kept = next;
  }
  CHECK(wrong == 0);
  CHECK(one<int>(*own, "select count(*) from numbers") == kept);
}

namespace {

task<void> two_steps(data::transaction& tx, int n) {
  co_await tx.execute("insert into numbers select $1::int from pg_sleep(0.001)", n);
  co_await tx.execute("update numbers set n = -n where n = $1", n);
}
task<void> in_a_transaction(data::database on, int n) {
  co_await on.transact(&two_steps, n);
}

}  // namespace

TEST_CASE("a cancellation that comes late is not the next transaction's") {
  const temporary_postgres own("connections=1&checkout_timeout=60s");
  run(own->execute("create table numbers (n integer primary key)"));
  side_by_side all;
  std::minstd_rand random(2);
  int next = 0;
  int certain = 0;
  for (int round = 0; round < 150; ++round) {
    auto& doomed = round % 2 == 0 ? all.start(nap(*own, 4)) : all.start(in_a_transaction(*own, ++next));
    auto& innocent = all.start(in_a_transaction(*own, ++next));
    ++certain;
    all.run_for(std::chrono::milliseconds(random() % 6));
    doomed.stop();
    all.run();
    CAPTURE(round);
    CAPTURE(doomed.thrown != nullptr);
    if (const auto failed = innocent.failed()) FAIL_CHECK(failed->cause());
    CHECK_FALSE(innocent.thrown);
    // Either all of it or nothing.
    if (round % 2 == 1) certain += doomed.thrown ? 0 : 1;
  }
  CHECK(one<int>(*own, "select count(*) from numbers where n > 0") == 0);
  const auto rows = one<int>(*own, "select count(*) from numbers");
  CHECK(rows >= certain);
  CHECK(rows <= next);
}

TEST_CASE("a statement on a loop that was idle for long has all of its time") {
  // Longer than what a silent server is allowed.
  const temporary_postgres own("connections=1&statement_timeout=1s");
  for (const bool after_long : {false, true}) {
    side_by_side all;
    auto& late = all.start([](data::database on, bool wait) -> task<void> {
      co_await nap(on, 1);  // prepared, too
      if (wait) co_await pause(2500ms);
      co_await nap(on, 600);
    }(*own, after_long));
    all.run();
    if (const auto failed = late.failed()) FAIL_CHECK(failed->cause());
    CHECK_FALSE(late.thrown);
  }
  // The same on a loop that is no server's.
  run([](data::database on) -> task<void> {
    co_await nap(on, 1);
    co_await pause(2500ms);
    co_await nap(on, 600);
  }(*own));
}

TEST_CASE("a statement may run for as long as statement_timeout, not longer") {
  const temporary_postgres own("statement_timeout=200ms");
  const auto since = std::chrono::steady_clock::now();
  const auto late = failure_of(nap(*own, 10'000));
  CHECK(std::chrono::steady_clock::now() - since < 5s);
  CHECK(late.kind() == error_kind::deadline_exceeded);
  CHECK(late.code() == "statement_cancelled");
  CHECK(postgres::is_sql_state(late, "57014"));
  run(nap(*own, 50));
}

TEST_CASE("what commits in its middle runs once, whoever is cancelled beside it") {
  const temporary_postgres own("connections=1&pipeline=1024");
  run(own->execute("create table numbers (n integer)"));
  run(
      own->execute("create procedure two_parts(n integer) language plpgsql as 'begin insert into numbers "
                   "values (n); commit; "
                   "perform pg_sleep(0.002); insert into numbers values (n); end'"));
  side_by_side all;
  std::minstd_rand random(3);
  constexpr int rounds = 150;
  int failed = 0;
  for (int n = 0; n < rounds; ++n) {
    auto& doomed = all.start(nap(*own, 3));
    auto& innocent = all.start(
        [](data::source on, int k) -> task<void> { co_await on.execute("call two_parts($1)", k); }(*own, n));
    auto& behind = all.start(insert(*own, -1 - n));
    all.run_for(std::chrono::milliseconds(random() % 6));
    doomed.stop();
    all.run();
    if (const auto why = innocent.failed()) FAIL_CHECK(why->cause());
    CHECK_FALSE(behind.thrown);
    failed += innocent.thrown ? 1 : 0;
  }
  CHECK(failed == 0);
  CHECK(one<int>(*own, "select count(*) from numbers where n >= 0") == 2 * rounds);
  CHECK(one<int>(*own, "select count(*) from numbers where n < 0") == rounds);
}

TEST_CASE("a result that is too large is not read to its end") {
  const temporary_postgres own("connections=1&most_result=100000");
  side_by_side all;
  // Ten terabytes, if nobody stopped it.
  auto& large = all.start([](data::source on) -> task<void> {
    (void)co_await on.query<data::value>("select repeat('x', 1000), generate_series(1, 10000000000)");
  }(*own));
  int pid = 0;
  auto& next = all.start(backend(*own, &pid));
  all.run(20s);
  CHECK(contains(large.failed().value().cause(), "most_result"));
  CHECK_FALSE(next.thrown);
  CHECK(pid != 0);
}
