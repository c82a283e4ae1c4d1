// The server goes away and comes back, under load.

#include <atomic>
#include <thread>

#include "corbel/data/postgres/errors.hpp"
#include "corbel/data/transaction_options.hpp"
#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

/// What came of the requests, as the one who sent them sees it.
struct tally {
  std::atomic<bool> over{false};
  std::atomic<std::int64_t> answered{0};
  std::atomic<std::int64_t> unavailable{0};
  std::atomic<std::int64_t> unknown{0};
  std::atomic<std::int64_t> other{0};
  std::atomic<std::int64_t> wrong{0};
  std::atomic<std::int64_t> written{0};
};

task<void> add_pair(data::transaction& tx, int n) {
  co_await tx.execute("insert into pairs values ($1)", n);
  co_await tx.execute("insert into pairs values ($1)", -n);
}

task<void> request(data::database db, int n, tally* all) {
  switch (n % 4) {
    case 0: {
      co_await db.execute("insert into numbers values ($1)", n);
      ++all->written;
      break;
    }
    case 1: co_await db.transact(&add_pair, n); break;
    default: {
      const auto got = co_await db.query_one<int>("select $1::int", n);
      if (got != n) ++all->wrong;
    }
  }
}

task<void> keep_asking(data::database db, int from, tally* all) {
  for (int n = from; !all->over; ++n) {
    std::optional<corbel::error> failed;
    try {
      co_await request(db, n, all);
      ++all->answered;
    } catch (const corbel::failure& f) {
      failed = f.error();
    }
    if (!failed) continue;
    if (data::is_commit_unknown(*failed))
      ++all->unknown;
    else if (failed->kind() == error_kind::unavailable)
      ++all->unavailable;
    else
      ++all->other;
    co_await pause(5ms);
  }
}

}  // namespace

TEST_CASE("a server that is restarted ten times under load costs errors, and no wrong answer") {
  own::server server;
  server.start();
  const auto db = postgres::open(server.url("connections=3&checkout_timeout=1s"));
  run(db.execute("create table numbers (n int primary key)"));
  run(db.execute("create table pairs (n int primary key)"));
  tally all;
  std::vector<std::thread> loops;
  for (int l = 0; l < 2; ++l)
    loops.emplace_back([&, l] {
      side_by_side users;
      for (int user = 0; user < 16; ++user)
        users.start(keep_asking(db, (l * 16 + user + 1) * 10'000'000, &all));
      users.run_until([&] { return users.running() == 0; }, 60s);
      if (users.running() != 0) ++all.wrong;
    });
  const int signals[] = {SIGINT, SIGQUIT};
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    std::this_thread::sleep_for(200ms);
    CHECK(all.answered > 0);
    server.stop(signals[round % 2]);
    std::this_thread::sleep_for(std::chrono::milliseconds(round * 40));
    server.start();
    const auto up = clock_type::now();
    const auto before = all.answered.load();
    while (all.answered < before + 100) {
      REQUIRE(clock_type::now() - up < 2s);
      std::this_thread::sleep_for(5ms);
    }
  }
  all.over = true;
  for (auto& one : loops) one.join();
  CHECK(all.wrong == 0);
  CHECK(all.other == 0);
  CHECK(all.unavailable > 0);
  const auto fresh = postgres::open(server.url());
  const auto rows = one<std::int64_t>(fresh, "select count(*) from numbers");
  CHECK(rows >= all.written);
  CHECK(rows <= all.written + all.unknown);
  CHECK(one<int>(fresh,
                 "select count(*) from pairs p where not exists (select from pairs q where q.n = -p.n)") ==
        0);
  MESSAGE("answered ", all.answered.load(), ", unavailable ", all.unavailable.load(), ", unknown ",
          all.unknown.load());
  fresh.stop();
  db.stop();
}

TEST_CASE("what comes back from a connection when its time is over is refused at once") {
  own::server server;
  server.start();
  const auto db = postgres::open(server.url("connections=1&pipeline=2&checkout_timeout=300ms"));
  const auto beside = postgres::open(server.url());
  run(db.execute("create table numbers (n int primary key)"));
  side_by_side all;
  auto& locker = all.start([](data::database on) -> task<void> {
    auto tx = co_await on.begin();
    co_await tx.execute("lock table numbers in access exclusive mode");
    co_await pause(20s);
  }(beside));
  REQUIRE(all.run_until([&] {
    return one<int>(db, "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted") > 0;
  }));
  // Two wait for the plan, on the connection; the others for a place there, and their time is over first.
  std::string why;
  auto& asker = all.start([](data::database on, std::string* cause) -> task<void> {
    const std::vector<int> numbers(5, 1);
    try {
      (void)co_await on.query_one_each<int>("select n from numbers where n = $1", numbers);
    } catch (const corbel::failure& f) {
      *cause = f.error().cause();
    }
  }(db, &why));
  all.run_for(600ms);
  CHECK_FALSE(asker.ended);
  server.stop(SIGKILL);  // without a last word
  REQUIRE(all.run_until([&] { return asker.ended; }, 10s));
  CHECK(why.find("no connection became free within 300 ms") != std::string::npos);
  locker.stop();
  all.run();
  beside.stop();
  db.stop();
}

TEST_CASE("of several hosts the one that takes writes is found, though the first is dead") {
  own::server server;
  server.start();
  const auto dead = own::free_port();
  const auto hosts = "127.0.0.1:" + std::to_string(dead) + ",127.0.0.1:" + std::to_string(server.port());
  const auto db = postgres::open("postgres://corbel@" + hosts +
                                 "/postgres?target_session_attrs=read-write&connections=2");
  CHECK(one<int>(db, "select 41 + 1") == 42);
  run(db.execute("create table t (n int)"));
  db.stop();
}

TEST_CASE("a server with no room for another connection is unavailable, and then is not") {
  own::server server({.settings = {"superuser_reserved_connections=0"}});
  server.start();
  const auto db = postgres::open(server.url("connections=1&checkout_timeout=500ms"));
  {
    side_by_side all;
    const auto hog = postgres::open(server.url("connections=100&pipeline=1"));
    const auto sit = [](data::database on) -> task<void> {
      auto tx = co_await on.begin();
      co_await tx.execute("select 1");
      co_await pause(60s);
    };
    for (int i = 0; i < 100; ++i) all.start(sit(hog));
    all.run_for(1500ms);
    const auto refused = failure_of(db.ping());
    CHECK(refused.kind() == error_kind::unavailable);
    CHECK(contains(refused.cause(), "too many clients"));
    for (auto& each : all.all()) each.stop();
    all.run_for(50ms);
    hog.stop();
    all.run();
  }
  std::this_thread::sleep_for(100ms);
  run(db.ping());
  db.stop();
}
