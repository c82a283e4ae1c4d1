#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <thread>

#include "backends.hpp"
#include "corbel/data/constraint.hpp"
#include "counts.hpp"
#include "expect.hpp"

namespace asio = boost::asio;
namespace data = corbel::data;
using corbel::error_kind;
using corbel::result;
using corbel::task;
using corbel::testing::run;

namespace {

task<void> add_and_throw(data::transaction& tx, int n) {
  co_await add(tx, n);
  throw std::domain_error("no");
}
task<result<int>> add_and_refuse(data::transaction& tx, int n) {
  co_await add(tx, n);
  co_return corbel::unprocessable("no");
}
task<result<int>> add_and_accept(data::transaction& tx, int n) {
  co_await add(tx, n);
  co_return n;
}

}  // namespace

TEST_CASE("a transaction is kept when its body returns, and only then") {
  backends::each([](const data::database& db) {
    make_counts(db);
    CHECK(run(db.transact(&add_two, 1)) == 1);
    CHECK(rows(db) == 2);
    CHECK_THROWS_AS(run(db.transact(&add_and_throw, 10)), std::domain_error);
    CHECK(rows(db) == 2);
    CHECK(run(db.transact(&add_and_refuse, 20)).error().kind() == error_kind::unprocessable);
    CHECK(rows(db) == 2);
    CHECK(*run(db.transact(&add_and_accept, 30)) == 30);
    CHECK(rows(db) == 3);
    CHECK(failure_of(db.transact(&add_two, 30)).kind() == error_kind::conflict);
    CHECK(rows(db) == 3);
  });
}

namespace {

task<void> use_handle(data::database db) {
  {
    auto tx = co_await db.begin();
    co_await add(tx, 1);
    // Dropped: rolled back.
  }
  auto kept = co_await db.begin();
  co_await add(kept, 2);
  co_await kept.commit();
  auto undone = co_await db.begin();
  co_await add(undone, 3);
  undone.rollback();
}

task<void> use_after_end(data::database db) {
  auto tx = co_await db.begin();
  const data::source kept = tx;
  co_await tx.commit();
  co_await add(kept, 4);
}

}  // namespace

TEST_CASE("the handle form keeps nothing without a commit, and refuses use after its end") {
  backends::each([](const data::database& db) {
    make_counts(db);
    run(use_handle(db));
    CHECK(run(db.query<std::int64_t>("select n from counts")) == std::vector<std::int64_t>{2});
    CHECK(contains(failure_of(use_after_end(db)).cause(), "after it had ended"));
    CHECK(rows(db) == 1);
  });
}

namespace {

task<void> nested(data::transaction& tx) {
  co_await add(tx, 1);
  const auto refused = co_await tx.transact(&add_and_refuse, 2);
  CHECK_FALSE(refused.has_value());
  bool threw = false;
  try {
    co_await tx.transact(&add_and_throw, 3);
  } catch (const std::domain_error&) {
    threw = true;
  }
  CHECK(threw);
  co_await tx.transact(&add_two, 4);
  bool conflicted = false;
  try {
    co_await tx.transact(&add_two, 1);  // 1 is taken: only the inner one is lost
  } catch (const corbel::failure&) {
    conflicted = true;
  }
  CHECK(conflicted);
  {
    auto outer = co_await tx.begin();
    co_await add(outer, 8);
    auto inner = co_await outer.begin();
    co_await add(inner, 9);
    co_await inner.commit();
    outer.rollback();  // takes what its inner one committed with it
  }
  co_await add(tx, 7);
}

task<void> swallow_failure(data::transaction& tx) {
  co_await add(tx, 1);
  try {
    co_await add(tx, 1);
  } catch (const corbel::failure&) {
  }
  co_await add(tx, 2);
}

}  // namespace

TEST_CASE("transactions nest by savepoints") {
  backends::each([](const data::database& db) {
    make_counts(db);
    run(db.transact(&nested));
    CHECK(run(db.query<std::int64_t>("select n from counts order by n")) ==
          std::vector<std::int64_t>{1, 4, 5, 7});
  });
}

TEST_CASE("a failed statement dooms its transaction, on every database") {
  backends::each([](const data::database& db) {
    make_counts(db);
    CHECK(contains(failure_of(db.transact(&swallow_failure)).cause(), "nested transaction"));
    CHECK(rows(db) == 0);
  });
}

TEST_CASE("a read-only transaction sees one state and refuses to write") {
  backends::each([](const data::database& db) {
    make_counts(db);
    CHECK_THROWS_AS(run(db.transact_read_only(&add_two, 1)), corbel::failure);
    CHECK(rows(db) == 0);
    run(db.transact(&add_two, 1));
    CHECK(rows(db) == 2);
  });
}

namespace {

task<void> sleep(std::chrono::milliseconds span) {
  asio::steady_timer timer(co_await asio::this_coro::executor, span);
  co_await timer.async_wait(asio::use_awaitable);
}

task<void> add_and_wait(data::transaction& tx, bool* inside) {
  co_await add(tx, 1);
  *inside = true;
  co_await sleep(std::chrono::hours(1));
}

}  // namespace

TEST_CASE("cancellation rolls a transaction back") {
  backends::each([](const data::database& db) {
    make_counts(db);
    asio::io_context loop;
    asio::cancellation_signal cancel;
    bool inside = false;
    std::exception_ptr thrown;
    asio::co_spawn(loop, db.transact(&add_and_wait, &inside),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { thrown = e; }));
    while (!inside) loop.run_one();
    cancel.emit(asio::cancellation_type::terminal);
    loop.run();
    CHECK_THROWS_AS(std::rethrow_exception(thrown), boost::system::system_error);
    // The writer is free again, and the row is gone.
    run(db.transact(&add_two, 1));
    CHECK(rows(db) == 2);
  });
}

TEST_CASE("a statement is cancelled while it runs") {
  backends::each([](const data::database& db) {
    asio::io_context loop;
    asio::cancellation_signal cancel;
    std::exception_ptr thrown;
    auto endless = [](data::database on) -> task<void> {
      co_await on.query<std::int64_t>(
          "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");
    };
    asio::co_spawn(loop, endless(db),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { thrown = e; }));
    loop.run_for(std::chrono::milliseconds(30));
    cancel.emit(asio::cancellation_type::terminal);
    loop.run();
    CHECK_THROWS_AS(std::rethrow_exception(thrown), boost::system::system_error);
    db.stop();  // returns only because the statement was interrupted
  });
}

TEST_CASE("waiting inside a transaction blocks no one but other writers, and those until their deadline") {
  const corbel::testing::temporary_database own(
      "synchronous=off&readers=1&checkout_timeout=50ms&most_waiting=1");
  const auto& db = *own;
  make_counts(db);
  asio::io_context loop;
  bool inside = false;
  asio::cancellation_signal cancel;
  asio::co_spawn(loop, db.transact(&add_and_wait, &inside),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  while (!inside) loop.run_one();
  CHECK(rows(db) == 0);  // a reader on another loop

  std::exception_ptr late, refused;
  asio::co_spawn(loop, add(db, 5), [&](std::exception_ptr e) { late = e; });
  asio::co_spawn(loop, add(db, 6), [&](std::exception_ptr e) { refused = e; });
  while (!refused) loop.run_one();
  CHECK_FALSE(late);
  while (!late) loop.run_one();
  for (const auto& e : {late, refused}) try {
      std::rethrow_exception(e);
    } catch (const corbel::failure& f) {
      CHECK(f.error().kind() == error_kind::unavailable);
      CHECK(f.error().code() == "database_busy");
    }
  cancel.emit(asio::cancellation_type::terminal);
  loop.run();
  run(add(db, 1));
  CHECK(rows(db) == 1);
}

namespace {

task<void> write_and_read(data::database db, int from, std::atomic<int>& wrong) {
  for (int n = from; n < from + 25; ++n) {
    co_await db.transact(&add_two, n * 2);
    const auto sum = co_await db.query_one<std::int64_t>("select count(*) % 2 from counts");
    if (sum != 0) ++wrong;  // half a transaction was seen
    const auto mine = co_await db.query_one<std::int64_t>("select n from counts where n = $1", n * 2);
    if (!mine) ++wrong;  // an acknowledged write was not
  }
}

}  // namespace

TEST_CASE("many writers and readers on several loops") {
  backends::each([](const data::database& db) {
    make_counts(db);
    std::atomic<int> wrong = 0;
    std::atomic<int> failed = 0;
    std::vector<std::thread> loops;
    for (int l = 0; l < 4; ++l)
      loops.emplace_back([&, l] {
        asio::io_context loop;
        for (int c = 0; c < 8; ++c)
          asio::co_spawn(loop, write_and_read(db, (l * 8 + c) * 100, wrong), [&](std::exception_ptr e) {
            if (e) ++failed;
          });
        loop.run();
      });
    for (auto& l : loops) l.join();
    CHECK(wrong == 0);
    CHECK(failed == 0);
    CHECK(rows(db) == 4 * 8 * 25 * 2);
  });
}
