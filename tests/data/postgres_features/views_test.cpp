// A materialized view that is refreshed on schedule while others read it.

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "corbel/data/postgres/queries.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

task<void> refresh_for_ever(postgres::database db, bool* ended) {
  postgres::refresh_schedule how;
  how.every = 50ms;
  try {
    co_await db.refresh_every("totals", how);
  } catch (const boost::system::system_error&) {
  }
  *ended = true;
}

/// Changes what the view shows, and waits until it does; false when it does not within ten seconds.
task<bool> comes_through(postgres::database db, int n) {
  co_await db.execute("insert into numbers values ($1)", n);
  const auto give_up = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < give_up) {
    const auto shown = co_await db.query_one<int>("select total from totals");
    const auto wanted = co_await db.query_one<int>("select sum(n) from numbers");
    if (shown == wanted) co_return true;
    co_await pause(10ms);
  }
  co_return false;
}

task<void> refresh_beside_readers(postgres::database db) {
  const auto executor = co_await boost::asio::this_coro::executor;
  boost::asio::cancellation_signal stop[2];
  bool ended[2] = {};
  const auto begin = [&](int i) {
    boost::asio::co_spawn(executor, refresh_for_ever(db, &ended[i]),
                          boost::asio::bind_cancellation_slot(stop[i].slot(), boost::asio::detached));
  };
  begin(0);
  // Its lock on the view lasts until it ends: one that is refreshed in place would wait for it, and all
  // readers for both.
  auto reader = co_await db.begin();
  const auto at_first = co_await reader.query_one<int>("select total from totals");
  CHECK(at_first == 1);
  for (int n = 2; n < 6; ++n) CHECK(co_await comes_through(db, n));
  co_await reader.commit();

  // The lock of whose turn it is goes with its session.
  const auto killed = co_await db.query_one<int>(
      "select count(pg_terminate_backend(pid)) from pg_locks where locktype = 'advisory' and granted and "
      "database = (select oid from pg_database where datname = current_database())");
  CHECK(*killed > 0);
  CHECK(co_await comes_through(db, 100));
  // There was one alone so far: nothing comes when it leaves, unless the other takes over.
  begin(1);
  stop[0].emit(boost::asio::cancellation_type::terminal);
  CHECK(co_await comes_through(db, 1000));
  stop[1].emit(boost::asio::cancellation_type::terminal);
  for (int turn = 0; turn < 200 && !(ended[0] && ended[1]); ++turn) co_await pause(10ms);
  CHECK(ended[0]);
  CHECK(ended[1]);
}

}  // namespace

TEST_CASE(
    "a view is refreshed on schedule beside a reader that does not end, and by another when one leaves") {
  const temporary_postgres own("connections=3");
  const postgres::database db(*own);
  run(db.execute("create table numbers (n int)"));
  run(db.execute("insert into numbers values (1)"));
  run(db.execute("create materialized view totals as select sum(n) as total from numbers"));
  run(db.execute("create unique index on totals (total)"));
  run(refresh_beside_readers(db));
}
