#include <doctest/doctest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/observe/log_sink.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"
#include "data/postgres/slow_log.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

task<> pause(std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

TEST_CASE("a URL is enough to ask for slow statements, where there is a log for them") {
  const testing::temporary_postgres own;
  const auto url = own.url() + "?slow_query=50ms";
  const auto lines = std::make_shared<captured_log>();
  const auto db = data::connect(url, {postgres::driver()}, logger(lines));
  testing::run(db.execute("select pg_sleep(0.1)"));
  db.stop();
  CHECK(lines->contains("slow statement"));
  try {
    data::connect(url, {postgres::driver()});
    FAIL_CHECK("there is no log");
  } catch (const failure& f) {
    CHECK(f.error().code() == "log_needed");
  }
}

TEST_CASE("statements that ran long are logged with SQL and plan, and without values") {
  const testing::temporary_postgres own;
  testing::run(own->execute("create table people (id int primary key, name text)"));
  const auto lines = std::make_shared<captured_log>();
  auto how = postgres::parse_url(own.url() + "?slow_query=100ms").value();
  CHECK(how.slow_query == 100ms);
  log_options options;
  options.format = log_format::json;
  how.log = logger(lines, options);
  const auto db = postgres::open(how);
  testing::run([](data::database on) -> task<> {
    (void)co_await on.query_one<int>("select 1");
    (void)co_await on.query_one<int>(
        "select 1 from (select pg_sleep(0.15)) s left join people on name = $1 or id = $2",
        std::string("s3cret-name"), 4711);
    co_await pause(50ms);  // a plan waits for a connection that is idle
    co_await on.execute("do $$ begin perform pg_sleep(0.15); end $$");
    (void)co_await on.query<int>("select 2 from pg_sleep(0.15)");  // a plan was asked for a moment ago
    auto tx = co_await on.begin();
    (void)co_await tx.query<int>("select 3 from pg_sleep(0.15)");
    co_await pause(100ms);
  }(db));
  db.stop();
  const auto all = lines->lines();
  REQUIRE(all.size() == 4);
  CHECK_FALSE(lines->contains("s3cret-name"));
  CHECK_FALSE(lines->contains("4711"));
  CHECK(all[0].find("pg_sleep(0.15)") != std::string::npos);
  CHECK(all[0].find("durationMs") != std::string::npos);
  CHECK(all[0].find("Node Type") != std::string::npos);
  CHECK(all[0].find("people") != std::string::npos);
  CHECK(all[1].find("do $$") != std::string::npos);
  CHECK(all[1].find("plan") == std::string::npos);
}

TEST_CASE("values are taken out of a plan") {
  const std::string plan =
      R"_([{"Filter":"((name = 'it''s'::text) AND (t1.n > 5.5e3) AND (\"a'1\" = E'x\\'y'))","Rows":3}])_";
  const std::string masked =
      R"_([{"Filter":"((name = '?'::text) AND (t1.n > ?) AND (\"a'1\" = E'?'))","Rows":3}])_";
  CHECK(postgres::without_values(plan) == masked);
  CHECK(postgres::without_values("no json").empty());
}
