#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <set>

#include "replicated.hpp"

TEST_CASE("log positions travel as text") {
  CHECK(to_text(postgres::log_position{0x16'b374'd848}) == "16/B374D848");
  CHECK(postgres::parse_log_position("16/B374D848") == postgres::log_position{0x16'b374'd848});
  CHECK(to_text(postgres::log_position{0x16'b374'd848, 2}) == "16/B374D848@2");
  CHECK(postgres::parse_log_position("16/B374D848@2") == postgres::log_position{0x16'b374'd848, 2});
  for (const auto* wrong : {"", "/", "1/", "/1", "1", "1/x", "1/2/3", "123456789/1", "-1/2", "1/ 2", "1/2@",
                            "1/2@0", "1/2@x", "1/2@1@1", "1/2@99999999999"}) {
    CAPTURE(wrong);
    CHECK_FALSE(postgres::parse_log_position(wrong));
  }
}

TEST_CASE("reads go to the replicas in turn, and writes are refused there") {
  own::server first(of_the_tests_server());
  own::server second(of_the_tests_server());
  first.start();
  second.start();
  const replicated cluster({&first, &second});
  run([](postgres::database pg, int one, int other) -> task<void> {
    const auto reads = pg.replicas();
    CHECK(co_await comes_to(reads, one));
    CHECK(co_await comes_to(reads, other));
    std::set<int> seen;
    for (int i = 0; i < 20; ++i) seen.insert(co_await who_answers(reads));
    CHECK(seen == std::set<int>{one, other});
    // A replica that is asked without a limit of lag answers all the same.
    postgres::read_policy any;
    any.max_lag = 0ms;
    const auto who = co_await who_answers(pg.replicas(any));
    CHECK(who != 0);
  }(cluster.pg, first.port(), second.port()));
  CHECK(contains(failure_of(cluster.pg.replicas().execute("create table t (n int)")).cause(), "only read"));
  CHECK(contains(failure_of(cluster.pg.replicas().begin()).cause(), "transact_read_only"));
}

namespace {

task<int> port_within(data::transaction& tx) {
  co_return co_await who_answers(tx);
}

task<void> read_own_writes(postgres::database pg, int port) {
  co_await pg.execute("create table notes (n int primary key)");
  CHECK(co_await comes_to(pg.replicas(), port));
  for (int n = 0; n < 200; ++n) {
    co_await pg.execute("insert into notes values ($1)", n);
    postgres::read_policy mine;
    mine.after = co_await pg.position();
    const auto reads = pg.replicas(mine);
    const auto found = co_await reads.query_one<int>("select n from notes where n = $1", n);
    CHECK(found == n);
  }
  // Some of them were answered by the replica, or the test says nothing of it.
  postgres::read_policy mine;
  mine.after = co_await pg.position();
  CHECK(co_await comes_to(pg.replicas(mine), port));
  const auto inside = co_await pg.replicas().transact_read_only(&port_within);
  CHECK(inside == port);
}

}  // namespace

TEST_CASE("whoever wrote reads it, from a replica as soon as it is there") {
  own::server replica(of_the_tests_server());
  replica.start();
  const replicated cluster({&replica});
  run(read_own_writes(cluster.pg, replica.port()));
}

namespace {

task<void> fall_behind(postgres::database pg, data::database direct, int port) {
  co_await pg.execute("create table notes (n int primary key)");
  postgres::read_policy fresh;
  fresh.max_lag = 1000ms;
  const auto reads = pg.replicas(fresh);
  CHECK(co_await comes_to(reads, port));
  co_await direct.query<std::optional<std::string>>("select pg_wal_replay_pause()::text");
  co_await pg.execute("insert into notes values (1)");
  CHECK(co_await comes_to(reads, 0));  // to the primary
  const auto there = co_await reads.query_one<int>("select n from notes");
  CHECK(there == 1);
  auto nowhere_else = fresh;
  nowhere_else.fall_back = false;
  std::optional<corbel::error> refused;
  try {
    (void)co_await who_answers(pg.replicas(nowhere_else));
  } catch (const corbel::failure& f) {
    refused = f.error();
  }
  REQUIRE(refused);
  CHECK(refused->code() == "no_replica");
  co_await direct.query<std::optional<std::string>>("select pg_wal_replay_resume()::text");
  CHECK(co_await comes_to(reads, port));
}

}  // namespace

TEST_CASE("a replica that falls behind is passed over until it has caught up") {
  own::server replica(of_the_tests_server());
  replica.start();
  const replicated cluster({&replica});
  const auto direct = postgres::open("postgres://corbel@" + replica.place() + "/postgres");
  run(fall_behind(cluster.pg, direct, replica.port()));
  direct.stop();
}

namespace {

struct steady_reader {
  int reads = 0;
  int failed = 0;
  steady::duration longest{};
  bool stop = false;
};

task<void> keep_reading(data::source from, steady_reader* log) {
  while (!log->stop) {
    const auto began = steady::now();
    bool failed = false;
    try {
      const auto who = co_await who_answers(from);
      CHECK(who >= 0);
    } catch (const corbel::failure&) {
      failed = true;
    }
    log->longest = std::max(log->longest, steady::now() - began);
    ++log->reads;
    if (failed) ++log->failed;
    co_await sleep(1ms);
  }
}

task<void> lose_one(postgres::database pg, own::server* replica, steady_reader* log) {
  const auto reads = pg.replicas();
  CHECK(co_await comes_to(reads, replica->port()));
  for (int i = 0; i < 300; ++i) co_await sleep(1ms);
  replica->stop(SIGKILL);
  CHECK(co_await comes_to(reads, 0));
  for (int i = 0; i < 500; ++i) co_await sleep(1ms);
  replica->start();
  CHECK(co_await comes_to(reads, replica->port()));
  log->stop = true;
}

}  // namespace

TEST_CASE("reads of a replica that dies go on elsewhere, and come back when it does") {
  own::server replica(of_the_tests_server());
  replica.start();
  const replicated cluster({&replica});
  steady_reader log;
  asio::io_context loop;
  std::exception_ptr thrown;
  asio::co_spawn(loop, keep_reading(cluster.pg.replicas(), &log), [&](std::exception_ptr e) { thrown = e; });
  asio::co_spawn(loop, lose_one(cluster.pg, &replica, &log), [&](std::exception_ptr e) {
    log.stop = true;
    if (e) thrown = e;
  });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  CHECK(log.reads > 100);
  CHECK(log.failed == 0);
  CHECK(log.longest < 2s);
}
