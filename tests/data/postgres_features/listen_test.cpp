#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/testing/database.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

using namespace corbel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

std::string shown(const postgres::heard& one) {
  if (const auto* said = std::get_if<postgres::notification>(&one))
    return said->channel + "=" + said->payload;
  return "gap";
}

task<std::vector<std::string>> take(postgres::notification_stream& from, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    const auto one = co_await from.next();
    all.push_back(shown(one));
  }
  co_return all;
}

task<> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

task<int> listeners(postgres::database pg) {
  const auto n = co_await pg.query_one<int>(
      "select count(*) from pg_stat_activity where datname = current_database() and query like '%LISTEN%' "
      "and "
      "pid <> pg_backend_pid()");
  co_return n.value_or(-1);
}

task<> kill_listeners(postgres::database pg) {
  (void)co_await pg.query<int>(
      "select pg_terminate_backend(pid)::int from pg_stat_activity where datname = current_database() and "
      "query "
      "like "
      "'%LISTEN%' and pid <> pg_backend_pid()");
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("what is said arrives in order, and only on the channels asked for") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto got = testing::run([](postgres::database db) -> task<strings> {
    auto stream = co_await db.listen("Orders \"x\"; drop", "refunds");
    for (int i = 0; i < 50; ++i) co_await db.notify("refunds", std::to_string(i));
    co_await db.notify("others", "no");
    co_await db.notify("Orders \"x\"; drop", "it's");
    co_return co_await take(stream, 51);
  }(pg));
  REQUIRE(got.size() == 51);
  for (int i = 0; i < 50; ++i) CHECK(got[static_cast<std::size_t>(i)] == "refunds=" + std::to_string(i));
  CHECK(got[50] == "Orders \"x\"; drop=it's");
}

TEST_CASE("in a transaction it is said at the commit, or never") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto got = testing::run([](postgres::database db) -> task<strings> {
    auto stream = co_await db.listen("c");
    {
      auto undone = co_await db.begin();
      co_await db.notify(undone, "c", "undone");
    }
    auto tx = co_await db.begin();
    co_await db.notify(tx, "c", "first");
    co_await db.notify(tx, "c", "second");
    co_await db.notify("c", "before");
    co_await tx.commit();
    co_return co_await take(stream, 3);
  }(pg));
  CHECK(got == strings{"c=before", "c=first", "c=second"});
}

TEST_CASE("a connection that breaks is replaced, and the gap is told before what follows") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto got = testing::run([](postgres::database db) -> task<strings> {
    auto stream = co_await db.listen("c");
    auto other = co_await db.listen("d");
    co_await db.notify("c", "1");
    co_await pause(50ms);
    co_await kill_listeners(db);
    auto all = co_await take(stream, 2);  // "1", then the gap: it listens again
    co_await db.notify("c", "2");
    co_await db.notify("d", "3");
    auto more = co_await take(stream, 1);
    auto others = co_await take(other, 2);
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), others.begin(), others.end());
    co_return all;
  }(pg));
  CHECK(got == strings{"c=1", "gap", "c=2", "gap", "d=3"});
}

TEST_CASE("a stream that is not read drops what comes, and says so in its place") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto got = testing::run([](postgres::database db) -> task<strings> {
    std::vector<std::string> channels(1, "c");
    auto stream = co_await db.listen(channels, 2);
    auto all = co_await db.listen("c");
    for (int i = 0; i < 5; ++i) co_await db.notify("c", std::to_string(i));
    (void)co_await take(all, 5);
    auto few = co_await take(stream, 3);
    co_await db.notify("c", "later");
    auto more = co_await take(stream, 1);
    few.insert(few.end(), more.begin(), more.end());
    co_return few;
  }(pg));
  CHECK(got == strings{"c=0", "c=1", "gap", "c=later"});
}

TEST_CASE("all streams of a loop share a connection, and the last one takes it along") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  testing::run([](postgres::database db) -> task<> {
    {
      auto one = co_await db.listen("c");
      auto two = co_await db.listen("c", "d");
      auto three = co_await db.listen("e");
      const auto open = co_await listeners(db);
      CHECK(open == 1);
    }
    for (int i = 0; i < 100; ++i) {
      const auto left = co_await listeners(db);
      if (left == 0) co_return;
      co_await pause(20ms);
    }
    FAIL("the connection stays although nobody listens");
  }(pg));
}

TEST_CASE("a wait for a notification can be cancelled, and nothing is lost") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto got = testing::run([](postgres::database db) -> task<strings> {
    auto stream = co_await db.listen("c");
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    bool cancelled = false;
    auto waits = [](postgres::notification_stream* from, bool* out) -> task<> {
      try {
        (void)co_await from->next();
      } catch (const boost::system::system_error& e) {
        *out = e.code() == asio::error::operation_aborted;
      }
    };
    asio::co_spawn(executor, waits(&stream, &cancelled),
                   asio::bind_cancellation_slot(stop.slot(), asio::detached));
    co_await pause(20ms);
    stop.emit(asio::cancellation_type::terminal);
    co_await pause(20ms);
    CHECK(cancelled);
    co_await db.notify("c", "still");
    co_return co_await take(stream, 1);
  }(pg));
  CHECK(got == strings{"c=still"});
}

TEST_CASE("what cannot be listened to, or said, is refused with a reason") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto code = [](task<> what) -> std::string {
    try {
      testing::run(std::move(what));
      return "";
    } catch (const failure& f) {
      return f.error().code();
    }
  };
  const auto listens = [](postgres::database db, std::string to) -> task<> { (void)co_await db.listen(to); };
  const auto in_transaction_of = [](postgres::database db, data::database other) -> task<> {
    auto tx = co_await other.begin();
    co_await db.notify(tx, "c", "x");
  };
  CHECK(code(listens(pg, "")) == "bad_name");
  CHECK(code(listens(pg, std::string(64, 'x'))) == "bad_name");
  CHECK(code(listens(pg, std::string(63, 'x'))) == "");
  CHECK(code(listens(pg, "no UTF-8: \xff")) == "bad_name");
  CHECK(code(pg.notify("\xc3", "x")) == "bad_name");
  CHECK(code(pg.notify("c", std::string(8000, 'x'))) == "payload_too_long");
  CHECK(code(pg.notify("c", std::string(7999, 'x'))) == "");
  const postgres::database pooled(postgres::open(own.url() + "?pooler=transaction"));
  CHECK(code(listens(pooled, "c")) == "session_needed");
  const postgres::database away(
      postgres::open("postgres://corbel@127.0.0.1:1/nothing?checkout_timeout=200ms"));
  CHECK(code(listens(away, "c")) == "database_unavailable");
  const testing::temporary_database sqlite;
  CHECK(code(in_transaction_of(pg, *sqlite)) == "postgres_needed");
}

namespace {

/// A database that has no Euro sign.
struct latin_database {
  explicit latin_database(const testing::temporary_postgres& server)
      : beside(*server),
        name(server.url().substr(server.url().rfind('/') + 1) + "_latin"),
        url(server.url() + "_latin") {
    const data::trusted create("create database " + name + " template template0 encoding latin1 locale 'C'");
    testing::run(beside.execute(create));
  }
  ~latin_database() {
    const data::trusted drop("drop database " + name + " with (force)");
    testing::run(beside.execute(drop));
  }
  latin_database(const latin_database&) = delete;
  latin_database& operator=(const latin_database&) = delete;

  const data::database beside;
  const std::string name;
  const std::string url;
};

}  // namespace

TEST_CASE("a channel that the server does not take ends its own stream, and no other") {
  const testing::temporary_postgres own;
  const latin_database latin(own);
  const postgres::database pg(postgres::open(latin.url));
  const auto got = testing::run([](postgres::database db) -> task<strings> {
    const auto executor = co_await asio::this_coro::executor;
    // Both ask with the first script of the connection.
    std::string code;
    auto fails = [](postgres::database which, std::string* out) -> task<> {
      try {
        (void)co_await which.listen("\u20ac");
      } catch (const failure&) {
        *out = "refused";
      }
    };
    asio::co_spawn(executor, fails(db, &code), asio::detached);
    auto stream = co_await db.listen("c");
    for (int i = 0; i < 100 && code.empty(); ++i) co_await pause(10ms);
    co_await db.notify("c", "1");
    auto all = co_await take(stream, 1);
    all.push_back(code);
    // Nor does it when it asks alone, or comes with another.
    code.clear();
    co_await fails(db, &code);
    all.push_back(code);
    co_await db.notify("c", "2");
    const auto last = co_await take(stream, 1);
    all.push_back(last[0]);
    co_return all;
  }(pg));
  CHECK(got == strings{"c=1", "refused", "refused", "c=2"});
  pg.stop();
}

namespace {

/// Says when the coroutine that has it is destroyed.
struct witness {
  bool* gone;
  ~witness() { *gone = true; }
};

task<> listen_on(postgres::database pg, std::unique_ptr<witness> mine) {
  auto stream = co_await pg.listen("c");
  co_await stream.next();
  CHECK_FALSE(mine);
}

}  // namespace

TEST_CASE("a loop that ends takes with it who listens there, or waits to, and the connection") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const postgres::database away(postgres::open("postgres://corbel@127.0.0.1:1/nothing?checkout_timeout=20s"));
  bool heard = false;
  bool waited = false;
  {
    event_loop loop;
    const auto start = [&](const postgres::database& on, bool* gone) {
      asio::co_spawn(loop.context(), listen_on(on, std::unique_ptr<witness>(new witness{gone})),
                     asio::detached);
    };
    start(pg, &heard);
    start(away, &waited);
    int open = 0;
    for (int i = 0; i < 200 && open == 0; ++i) {
      loop.context().run_for(10ms);
      open = testing::run(listeners(pg));
    }
    CHECK(open == 1);
    CHECK_FALSE(heard);
    CHECK_FALSE(waited);
  }
  CHECK(heard);
  CHECK(waited);
  int open = 1;
  for (int i = 0; i < 200 && open == 1; ++i) open = testing::run(listeners(pg));
  CHECK(open == 0);
}

TEST_CASE("stopping the database ends the streams") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  const auto code = testing::run([](postgres::database db) -> task<std::string> {
    auto stream = co_await db.listen("c");
    const auto executor = co_await asio::this_coro::executor;
    auto stops = [](postgres::database which) -> task<> {
      co_await pause(30ms);
      which.stop();
    };
    asio::co_spawn(executor, stops(db), asio::detached);
    std::string said;
    try {
      (void)co_await stream.next();
    } catch (const failure& f) {
      said = f.error().code();
    }
    co_return said;
  }(pg));
  CHECK(code == "database_busy");
}
