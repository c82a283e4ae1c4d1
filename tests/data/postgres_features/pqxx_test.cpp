#include "corbel/data/postgres/pqxx.hpp"

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
#include <thread>

#include "corbel/data/constraint.hpp"
#include "corbel/data/postgres/errors.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/data/transaction_options.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

using namespace corbel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

/// For the leak sanitizer alone: libpqxx 6.4 loses a result when its connection breaks in the middle of a
/// statement, which is what these tests do to it.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpqxx";
}

namespace {

int add(pqxx::connection& c, int a, int b) {
  pqxx::work tx(c);
  const int sum = tx.exec_params("select $1::int + $2::int", a, b)[0][0].as<int>();
  tx.commit();
  return sum;
}

void run_sql(pqxx::connection& c, std::string sql) {
  pqxx::work tx(c);
  tx.exec(sql);
  tx.commit();
}

std::string one(pqxx::connection& c, std::string sql) {
  pqxx::nontransaction tx(c);
  return tx.exec(sql)[0][0].as<std::string>();
}

error failure_of(const postgres::database& pg, std::string sql) {
  try {
    testing::run(pg.with_connection(&run_sql, std::move(sql)));
  } catch (const failure& f) {
    return f.error();
  }
  return internal_error("it did not fail");
}

task<> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_CASE("libpqxx code runs with the settings of our sessions, and leaves nothing behind") {
  const testing::temporary_postgres own("threads=1");
  const postgres::database pg(*own);
  CHECK(testing::run(pg.with_connection(&add, 2, 40)) == 42);
  CHECK(testing::run(pg.with_connection(&one, std::string("show timezone"))) == "UTC");
  CHECK(testing::run(pg.with_connection(&one, std::string("show statement_timeout"))) == "30s");
  const auto pid = testing::run(pg.with_connection(&one, std::string("select pg_backend_pid()")));
  testing::run(
      pg.with_connection(&run_sql, std::string("create temp table t (a int); set timezone = 'Asia/Tokyo'; "
                                               "set role none; select pg_advisory_lock(7)")));
  const auto left_open = [](pqxx::connection& c) {
    pqxx::nontransaction tx(c);
    tx.exec("begin");
  };
  testing::run(pg.with_connection(left_open));
  CHECK(testing::run(pg.with_connection(&one, std::string("show timezone"))) == "UTC");
  CHECK(testing::run(pg.with_connection(&one, std::string("select to_regclass('pg_temp.t') is null"))) ==
        "t");
  CHECK(testing::run(
            pg.with_connection(&one, std::string("select count(*) from pg_locks where locktype = "
                                                 "'advisory' and database = (select oid from pg_database "
                                                 "where datname = current_database())"))) == "0");
  CHECK(testing::run(pg.with_connection(&one, std::string("select pg_backend_pid()"))) == pid);
}

TEST_CASE("what libpqxx throws is the driver's error") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  testing::run(pg.with_connection(
      &run_sql,
      std::string("create table people (id int primary key, email text unique, age int check (age > 0), "
                  "name text not null default '', boss int references people (id))")));
  testing::run(pg.with_connection(&run_sql, std::string("insert into people values (1, 'a', 3)")));
  const auto twice = failure_of(pg, "insert into people values (2, 'a', 3)");
  REQUIRE(data::constraint_of(twice));
  CHECK(data::constraint_of(twice)->is_unique_on("email"));
  CHECK(data::constraint_of(twice)->name == "people_email_key");
  CHECK(twice.code() == "unique_violation");
  CHECK(twice.cause().find("insert into people") != std::string::npos);
  const auto boss = failure_of(pg, "insert into people values (2, 'b', 3, '', 9)");
  REQUIRE(data::constraint_of(boss));
  CHECK(data::constraint_of(boss)->kind == data::constraint_kind::foreign_key);
  CHECK(data::constraint_of(boss)->name == "people_boss_fkey");
  CHECK(data::constraint_of(boss)->table == "people");
  const auto null = failure_of(pg, "insert into people values (2, 'b', 3, null)");
  REQUIRE(data::constraint_of(null));
  CHECK(data::constraint_of(null)->columns == std::vector<std::string>{"name"});
  CHECK(failure_of(pg, "insert into people values (2, 'b', 0)").code() == "check_violation");
  CHECK(failure_of(pg, "selec 1").kind() == error_kind::internal);
  CHECK(postgres::is_sql_state(failure_of(pg, "selec 1"), "42601"));
  CHECK(data::is_transient(failure_of(pg, "do $$ begin raise sqlstate '40001'; end $$")));
  CHECK(failure_of(pg, "select pg_terminate_backend(pg_backend_pid())").kind() == error_kind::unavailable);
  CHECK(testing::run(pg.with_connection(&add, 1, 1)) == 2);  // on another connection
  const auto own_error = [](pqxx::connection&) -> int { throw failure(not_found("mine")); };
  CHECK_THROWS_WITH_AS(testing::run(pg.with_connection(own_error)), "mine", failure);
  const postgres::database away(postgres::open("postgres://corbel@127.0.0.1:1/nothing"));
  CHECK(failure_of(away, "select 1").kind() == error_kind::unavailable);
}

TEST_CASE("whoever waits too long for a thread is told") {
  const testing::temporary_postgres own("threads=1&checkout_timeout=100ms");
  const postgres::database pg(*own);
  testing::run([](postgres::database db) -> task<> {
    const auto executor = co_await asio::this_coro::executor;
    bool slept = false;
    auto sleeps = [](postgres::database which, bool* out) -> task<> {
      co_await which.with_connection(&run_sql, std::string("select pg_sleep(2)"));
      *out = true;
    };
    asio::co_spawn(executor, sleeps(db, &slept), asio::detached);
    co_await pause(50ms);
    std::string code;
    try {
      (void)co_await db.with_connection(&add, 1, 2);
    } catch (const failure& f) {
      code = f.error().code();
    }
    CHECK(code == "database_busy");
    CHECK_FALSE(slept);
    while (!slept) co_await pause(20ms);
    const int sum = co_await db.with_connection(&add, 1, 2);
    CHECK(sum == 3);
  }(pg));
}

TEST_CASE("cancelling stops the SQL, and what would follow it") {
  const testing::temporary_postgres own("threads=1");
  const postgres::database pg(*own);
  testing::run(pg.with_connection(&run_sql, std::string("create table t (a int)")));
  testing::run([](postgres::database db) -> task<> {
    const auto executor = co_await asio::this_coro::executor;
    asio::cancellation_signal stop;
    bool aborted = false;
    auto sleeps = [](postgres::database which, bool* out) -> task<> {
      auto both = [](pqxx::connection& c) {
        try {
          run_sql(c, "select pg_sleep(20)");
        } catch (const std::exception&) {
          // goes on regardless
        }
        run_sql(c, "insert into t values (1)");
      };
      try {
        co_await which.with_connection(both);
      } catch (const boost::system::system_error& e) {
        *out = e.code() == asio::error::operation_aborted;
      }
    };
    asio::co_spawn(executor, sleeps(db, &aborted), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    co_await pause(150ms);
    const auto before = std::chrono::steady_clock::now();
    stop.emit(asio::cancellation_type::terminal);
    const int sum = co_await db.with_connection(&add, 1, 2);  // gets the thread, and a new connection
    CHECK(sum == 3);
    CHECK(aborted);
    CHECK(std::chrono::steady_clock::now() - before < 2s);
    const auto rows = co_await db.query_one<int>("select count(*) from t");
    CHECK(rows == 0);
  }(pg));
}
