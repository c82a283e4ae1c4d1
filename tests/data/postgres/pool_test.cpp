// Connections are opened when they are needed, lent for a time, and taken back clean.

#include <algorithm>
#include <atomic>
#include <thread>

#include "corbel/data/postgres/errors.hpp"
#include "data/postgres/backend.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

task<void> nap(data::source on, int milliseconds) {
  (void)co_await on.query_one<data::value>("select pg_sleep($1::float8 / 1000)", milliseconds);
}
task<void> ask(data::source on) {
  (void)co_await on.query_one<int>("select 1");
}
task<void> hold(data::database db, std::chrono::milliseconds span) {
  auto tx = co_await db.begin();
  co_await tx.execute("select 1");
  co_await pause(span);
}
task<void> ask_in_transaction(data::database db) {
  auto tx = co_await db.begin();
  co_await ask(tx);
  co_await tx.commit();
}
int connections_of(const data::database& watcher) {
  return one<int>(watcher,
                  "select count(*) from pg_stat_activity where datname = current_database() and "
                  "backend_type = 'client backend' and pid <> pg_backend_pid()");
}
double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("nothing is opened before it is needed, and not more than allowed") {
  const temporary_postgres own("connections=3");
  const auto watcher = postgres::open(own.url());
  side_by_side all;
  all.run_for(50ms);
  CHECK(connections_of(watcher) == 0);
  for (int i = 0; i < 10; ++i) all.start(nap(*own, 100));
  all.run();
  for (const auto& each : all.all()) CHECK_FALSE(each.thrown);
  CHECK(connections_of(watcher) >= 1);
  CHECK(connections_of(watcher) <= 3);
  watcher.stop();
}

TEST_CASE("who waits for a connection is told after checkout_timeout, within a tenth of it") {
  for (const int limit : {300, 1000}) {
    CAPTURE(limit);
    const temporary_postgres own("connections=2&checkout_timeout=" + std::to_string(limit) + "ms");
    side_by_side all;
    all.start(hold(*own, 3s));
    all.start(hold(*own, 3s));
    REQUIRE(all.run_until(
        [&] {
          return one<int>(*own,
                          "select count(*) from pg_stat_activity where state = 'idle in transaction' and "
                          "datname = current_database()") == 2;
        },
        2s));
    double least = 1e9;
    for (int round = 0; round < 2; ++round) {
      const auto since = std::chrono::steady_clock::now();
      auto& statement = all.start(ask(*own));
      auto& transaction = all.start(ask_in_transaction(*own));
      REQUIRE(all.run_until([&] { return statement.ended && transaction.ended; }, 5s));
      const double took = milliseconds_since(since);
      CHECK(took >= limit * 0.9);
      least = std::min(least, took);
      for (const auto* each : {&statement, &transaction}) {
        REQUIRE(each->failed());
        CHECK(each->failed()->kind() == error_kind::unavailable);
        CHECK(each->failed()->code() == "database_busy");
        CHECK(each->failed()->retry_after());
      }
    }
    // A busy machine adds to the time, and nothing takes from it.
    CHECK(least <= limit * 1.1);
    for (auto& each : all.all()) each.stop();
    all.run();
  }
}

TEST_CASE("when too many wait, the next one is refused at once") {
  const temporary_postgres own("connections=1&most_waiting=5&checkout_timeout=20s");
  side_by_side all;
  auto& holder = all.start(hold(*own, 10s));
  REQUIRE(all.run_until(
      [&] {
        return one<int>(*own,
                        "select count(*) from pg_stat_activity where state = 'idle in transaction' and "
                        "datname = current_database()") == 1;
      },
      2s));
  std::vector<side_by_side::one*> waiting;
  for (int i = 0; i < 5; ++i)
    waiting.push_back(&all.start(i % 2 == 0 ? ask(*own) : ask_in_transaction(*own)));
  all.run_for(20ms);
  auto& refused = all.start(ask(*own));
  REQUIRE(all.run_until([&] { return refused.ended; }, 5s));
  REQUIRE(refused.failed());
  CHECK(refused.failed()->code() == "database_busy");
  for (const auto* each : waiting) CHECK_FALSE(each->ended);
  // One that leaves makes room.
  waiting[1]->stop();
  all.run_for(5ms);
  auto& next = all.start(ask(*own));
  holder.stop();
  all.run();
  CHECK_FALSE(next.thrown);
  for (const auto* each : waiting) CHECK(((each == waiting[1]) == (each->thrown != nullptr)));
}

namespace {

task<void> execute(data::source on, std::string sql) {
  const data::trusted text(sql);
  co_await on.execute(text);
}
task<void> execute_in_transaction(data::database db, std::string sql, bool keep) {
  auto tx = co_await db.begin();
  co_await execute(tx, sql);
  if (keep) co_await tx.commit();
}
task<void> look(data::source on, std::string sql, int* out) {
  const data::trusted text(sql);
  *out = (co_await on.query_one<int>(text)).value_or(-1);
}
task<void> look_in_transaction(data::database db, std::string sql, int* out) {
  auto tx = co_await db.begin();
  co_await look(tx, sql, out);
  co_await tx.commit();
}

}  // namespace

TEST_CASE("what one user leaves on a session the next one does not find") {
  const temporary_postgres own("connections=1");
  run(
      own->execute("do $$ begin if not exists (select from pg_roles where rolname = 'corbel_guest') then "
                   "create role corbel_guest; end if; end $$"));
  const std::string nothing_is_left =
      "select (coalesce(current_setting('app.x', true), '') <> '')::int + "
      "2 * (select count(*) from pg_class where relpersistence = 't' and relnamespace = "
      "pg_my_temp_schema())::int + "
      "4 * (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())::int + "
      "8 * (select count(*) from pg_listening_channels())::int + "
      "16 * (current_user <> session_user)::int + "
      "32 * (select count(*) from pg_cursors where is_holdable)::int + "
      "64 * (current_setting('timezone') <> 'UTC')::int + "
      "128 * (current_setting('statement_timeout') <> '30s')::int + "
      "256 * (current_setting('search_path') <> '\"$user\", public')::int";
  const std::string traces[] = {
      "set app.x = '1'",
      "select set_config('app.x', '1', false)",
      "set timezone = 'Asia/Tokyo'",
      "set statement_timeout = 0",
      "set search_path = nowhere",
      "create temp table left_over (n int)",
      "select pg_advisory_lock(7)",
      "select pg_try_advisory_lock_shared(8)",
      "listen gossip",
      "set role corbel_guest",
      "set session authorization corbel_guest",
      "declare held cursor with hold for select 1",
  };
  for (const auto& trace : traces) {
    CAPTURE(trace);
    for (const int how : {0, 1, 2}) {
      CAPTURE(how);  // by itself; in a transaction that is kept; in one that is not
      if (how == 0 && trace.starts_with("declare")) continue;  // has no meaning there
      side_by_side all;
      auto& leaver = how == 0 ? all.start(execute(*own, trace))
                              : all.start(execute_in_transaction(*own, trace, how == 1));
      int found = -1;
      int found_again = -1;
      all.start(look(*own, nothing_is_left, &found));
      all.start(look_in_transaction(*own, nothing_is_left, &found_again));
      all.run();
      if (const auto failed = leaver.failed()) FAIL_CHECK(failed->cause());
      CHECK(found == 0);
      CHECK(found_again == 0);
    }
  }
}

TEST_CASE("a transaction that is abandoned in the middle is rolled back, and its connection goes on") {
  const temporary_postgres own("connections=1");
  run(own->execute("create table numbers (n int primary key)"));
  side_by_side all;
  for (int round = 0; round < 20; ++round) {
    auto& left = all.start([](data::database db, int n) -> task<void> {
      auto tx = co_await db.begin();
      co_await tx.execute("insert into numbers values ($1)", n);
      co_await pause(10s);
    }(*own, round));
    all.run_for(std::chrono::milliseconds(round));
    left.stop();
    int rows = -1;
    all.start(look(*own, "select count(*) from numbers", &rows));
    all.run();
    CHECK(rows == 0);
  }
  // Dropped without a word.
  all.start(execute_in_transaction(*own, "insert into numbers values (1)", false));
  all.run();
  CHECK(one<int>(*own, "select count(*) from numbers") == 0);
}

TEST_CASE("a transaction that does nothing for too long is ended by the server, and says so") {
  const temporary_postgres own("connections=1&idle_in_transaction_timeout=200ms");
  run(own->execute("create table numbers (n int primary key)"));
  side_by_side all;
  auto& idle = all.start([](data::database db) -> task<void> {
    auto tx = co_await db.begin();
    co_await tx.execute("insert into numbers values (1)");
    co_await pause(600ms);
    co_await tx.execute("insert into numbers values (2)");
    co_await tx.commit();
  }(*own));
  all.run();
  REQUIRE(idle.failed());
  CHECK(idle.failed()->kind() == error_kind::unavailable);
  int rows = -1;
  all.start(look(*own, "select count(*) from numbers", &rows));
  all.run();
  CHECK(rows == 0);
}

TEST_CASE("asking for signs of life keeps no idle transaction alive") {
  const temporary_postgres own("connections=1&idle_in_transaction_timeout=700ms");
  const postgres::database pg(*own);
  side_by_side all;
  auto& idle = all.start([](postgres::database db) -> task<void> {
    const auto home = co_await db.internals().here();
    home->ping_after = 50ms;
    auto tx = co_await db.begin();
    co_await tx.query_one<int>("select 1");
    co_await pause(2s);
    co_await tx.query_one<int>("select 2");
  }(pg));
  all.run();
  REQUIRE(idle.failed());
  CHECK(idle.failed()->kind() == error_kind::unavailable);
}

TEST_CASE("a connection grows old, and is replaced without a failure") {
  const temporary_postgres own("connections=1&max_lifetime=1s");
  std::vector<int> pids;
  side_by_side all;
  const auto since = std::chrono::steady_clock::now();
  while (milliseconds_since(since) < 3500) {
    int pid = 0;
    auto& asked = all.start(look(*own, "select pg_backend_pid()", &pid));
    all.run();
    CHECK_FALSE(asked.thrown);
    if (pids.empty() || pids.back() != pid) pids.push_back(pid);
    all.run_for(20ms);
  }
  CHECK(pids.size() >= 2);
}

TEST_CASE("a pool that was stopped refuses, and waits for what runs") {
  const temporary_postgres own("connections=1");
  side_by_side all;
  all.start(ask(*own));
  all.run();  // a busy machine takes its time to connect: else the first would wait, too
  auto& running = all.start(nap(*own, 300));
  all.run_for(20ms);
  auto& waiting = all.start(nap(*own, 10));
  own->stop();
  auto& late = all.start(ask(*own));
  all.run();
  CHECK_FALSE(running.thrown);
  CHECK(late.failed());
  (void)waiting;  // may have been sent already
}

TEST_CASE("a loop that ends takes with it who waits there, wherever that is") {
  struct counted {
    explicit counted(int* n) : alive(n) { ++*alive; }
    ~counted() { --*alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    int* alive;
  };
  int alive = 0;
  const auto watched = [](task<void> work, int* n) -> task<void> {
    const counted here(n);
    co_await std::move(work);
  };
  for (const int moment : {0, 1, 20, 150}) {  // while it connects, and while statements run
    CAPTURE(moment);
    const temporary_postgres own("connections=2");
    {
      side_by_side all;
      for (int i = 0; i < 4; ++i) {
        all.start(watched(nap(*own, 5000), &alive));
        all.start(watched(ask_in_transaction(*own), &alive));
        all.start(watched(hold(*own, 10s), &alive));
      }
      all.run_for(std::chrono::milliseconds(moment));
    }
    CHECK(alive == 0);
    const auto watcher = postgres::open(own.url());
    int left = -1;
    for (int tries = 0; tries < 100 && left != 0; ++tries) left = connections_of(watcher);
    CHECK(left <= 2);  // those that were asked to stop, until their statement ends
    own->stop();
    watcher.stop();
  }
}

TEST_CASE("many loops use one database at once, each with its own connections") {
  const temporary_postgres own("connections=2");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> loops;
  for (int l = 0; l < 4; ++l)
    loops.emplace_back([&, l] {
      side_by_side all;
      const auto answer = [](data::source on, int n, std::atomic<int>* mistaken) -> task<void> {
        for (int i = 0; i < 20; ++i) {
          const auto got = co_await on.query_one<int>("select $1::int", n + i);
          if (got != n + i) ++*mistaken;
        }
      };
      for (int i = 0; i < 50; ++i) all.start(answer(*own, l * 10'000 + i * 100, &wrong));
      all.run_until([&] { return all.running() == 0; });
      for (const auto& each : all.all())
        if (each.thrown || !each.ended) ++wrong;
    });
  for (auto& l : loops) l.join();
  CHECK(wrong == 0);
}
