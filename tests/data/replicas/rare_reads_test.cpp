// What is known of the servers when nobody asked for a while, when one is away, and when one has another
// past.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>

#include "replicated.hpp"

namespace {

struct writing {
  bool stop = false;
  bool ended = false;
};
task<void> keep_writing(data::database db, std::shared_ptr<writing> state) {
  while (!state->stop) co_await db.execute("insert into notes default values");
  state->ended = true;
}

struct answers {
  int here = 0;
  int elsewhere = 0;
};

/// Reads less often than what is known stays fresh, while somebody writes all the time.
task<void> read_rarely(postgres::database pg, int port, answers* got) {
  co_await pg.execute("create table notes (n int generated always as identity)");
  const auto writer = std::make_shared<writing>();
  asio::co_spawn(co_await asio::this_coro::executor, keep_writing(pg, writer), asio::detached);
  postgres::read_policy fresh;
  fresh.max_lag = 1000ms;
  fresh.fall_back = false;
  const auto reads = pg.replicas(fresh);
  CHECK(co_await comes_to(pg.replicas(), port));
  for (int i = 0; i < 4; ++i) {
    co_await sleep(1500ms);
    int who = 0;
    try {
      who = co_await who_answers(reads);
    } catch (const corbel::failure&) {
      ++got->elsewhere;
    }
    if (who == port) ++got->here;
  }
  writer->stop = true;
  while (!writer->ended) co_await sleep(5ms);
}

task<void> read_often(data::source reads, int times) {
  for (int i = 0; i < times; ++i) {
    const auto who = co_await who_answers(reads);
    CHECK(who >= 0);
  }
}

}  // namespace

TEST_CASE("a replica that follows serves reads that are rare, while the primary writes") {
  own::server replica(of_the_tests_server());
  replica.start();
  const replicated cluster({&replica});
  answers got;
  run(read_rarely(cluster.pg, replica.port(), &got));
  // The machine may be busy with others: one of them may come too late.
  CHECK(got.here >= 3);
  CHECK(got.elsewhere <= 1);
}

TEST_CASE("reads wait neither for a replica that is away nor for a primary that matters to none") {
  const temporary_postgres own;
  const auto place = hosts_of(own.url());
  const auto nowhere = at_hosts(own.url(), "127.0.0.1:1");
  postgres::read_policy any;
  any.max_lag = 0ms;
  // Each read would wait for 300 ms.
  const auto without_replica = postgres::open(own.url() + "?replicas=127.0.0.1:1");
  auto began = steady::now();
  run(read_often(postgres::database(without_replica).replicas(), 40));
  CHECK(steady::now() - began < 6s);
  without_replica.stop();
  const auto without_primary = postgres::open(nowhere + "?replicas=" + place);
  began = steady::now();
  run(read_often(postgres::database(without_primary).replicas(any), 40));
  CHECK(steady::now() - began < 6s);
  without_primary.stop();
}

TEST_CASE("without replicas everything goes to the primary, and a read writes nothing there") {
  const temporary_postgres own;
  const postgres::database pg(*own);
  run(own->execute("create table notes (n int)"));
  run(own->execute(
      "create function scribble() returns int language sql as 'insert into notes values (1) returning 1'"));
  postgres::read_policy nowhere_else;
  nowhere_else.fall_back = false;
  for (const auto& policy : {postgres::read_policy(), nowhere_else}) {
    const auto reads = pg.replicas(policy);
    CHECK(run(who_answers(reads)) == 0);
    const auto refused = failure_of(reads.query_one<int>("select scribble()"));
    CHECK(refused.code() == "database_read_only");
  }
  CHECK(run(pg.query_one<int>("select count(*) from notes")) == 0);
  // A read that fails says why.
  CHECK(contains(failure_of(pg.replicas().query_one<int>("select 1 / 0")).cause(), "zero"));
}

namespace {

task<void> read_across_histories(postgres::database pg, postgres::database old, int port) {
  co_await old.query<data::value>("select pg_switch_wal()::text");
  for (int i = 0; i < 3; ++i) {
    co_await old.execute("create table more (n int)");
    co_await old.execute("drop table more");
    co_await old.query<data::value>("select pg_switch_wal()::text");
  }
  co_await pg.execute("create table notes (n int)");
  co_await pg.execute("insert into notes values (1)");
  postgres::read_policy mine;
  mine.max_lag = 0ms;
  CHECK(co_await comes_to(pg.replicas(mine), port));
  mine.after = co_await pg.position();
  CHECK(mine.after->timeline == 2);
  const auto there = co_await old.position();
  CHECK(there.timeline == 1);
  CHECK(there.value > mine.after->value);
  for (int i = 0; i < 5; ++i) {
    const auto found = co_await pg.replicas(mine).query_one<int>("select n from notes");
    CHECK(found == 1);
    co_await sleep(100ms);
  }
}

task<void> promote(data::database replica) {
  const auto done = co_await replica.query_one<bool>("select pg_promote()");
  CHECK(done == true);
}

}  // namespace

TEST_CASE("a replica that did not follow a failover shows nobody that he wrote nothing") {
  own::server left_behind(of_the_tests_server());
  own::server promoted(of_the_tests_server());
  left_behind.start();
  promoted.start();
  const temporary_postgres own;  // of the old primary, which goes on
  const auto other =
      postgres::open("postgres://corbel@" + promoted.place() + "/postgres?replicas=" + left_behind.place());
  run(promote(other));
  run(read_across_histories(postgres::database(other), postgres::database(*own), left_behind.port()));
  other.stop();
}

namespace {

task<void> read_after_restart(postgres::database pg, data::database direct, own::server* replica) {
  co_await pg.execute("create table notes (n int primary key)");
  co_await pg.execute("checkpoint");
  CHECK(co_await comes_to(pg.replicas(), replica->port()));
  co_await pg.execute("insert into notes values (1)");
  postgres::read_policy mine;
  mine.after = co_await pg.position();
  CHECK(co_await comes_to(pg.replicas(mine), replica->port()));
  // What it had replayed it has to replay once more, and takes its time.
  co_await direct.execute("alter system set recovery_min_apply_delay = '1h'");
  CHECK(co_await comes_to(pg.replicas(mine), replica->port()));
  replica->stop(SIGKILL);
  replica->start();
  const auto found = co_await pg.replicas(mine).query_one<int>("select n from notes");
  CHECK(found == 1);
}

}  // namespace

TEST_CASE("what a replica had replayed is forgotten when its connections break") {
  own::server replica(of_the_tests_server());
  replica.start();
  const replicated cluster({&replica});
  const auto direct = postgres::open("postgres://corbel@" + replica.place() + "/postgres");
  run(read_after_restart(cluster.pg, direct, &replica));
  direct.stop();
}
