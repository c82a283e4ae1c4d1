// Nobody waits for an answer any more: its SQL ends.

#include <doctest/doctest.h>

#include <algorithm>

#include "corbel/corbel.hpp"
#include "data/postgres/support/tasks.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

task<std::string> nap(corbel::state<data::database> db) {
  co_await db->execute("select pg_sleep(60)");
  co_return "slept";
}
task<std::string> nap_in_transaction(corbel::state<data::database> db) {
  co_await db->transact([](data::transaction& tx) -> task<void> {
    co_await tx.execute("create temporary table t (n int)");
    co_await tx.execute("select pg_sleep(60)");
  });
  co_return "slept";
}
task<int> answer(corbel::state<data::database> db) {
  co_return (co_await db->query_one<int>("select 42")).value_or(0);
}

struct served {
  served() : watcher(postgres::open(own.url())) {}
  ~served() { watcher.stop(); }

  int naps() {
    return one<int>(watcher,
                    "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = "
                    "'active' and datname = current_database()");
  }
  bool answers() { return wire::client(server.port()).ask(wire::get("/answer")).value().body == "42"; }

  temporary_postgres own{"connections=2&statement_timeout=50s"};
  data::database watcher;
  running server{[](corbel::route_group routes) {
                   routes.get("/nap", &nap);
                   routes.get("/nap-in-transaction", &nap_in_transaction);
                   routes.get("/hasty", &nap).time_limit(200ms);
                   routes.get("/answer", &answer);
                 },
                 {},
                 1,
                 5000ms,
                 [this](corbel::services& all) { all.provide(std::make_shared<data::database>(*own)); }};
};

}  // namespace

TEST_CASE("the SQL of a client that vanishes is stopped within 100 ms") {
  served here;
  for (const char* path : {"/nap", "/nap-in-transaction"}) {
    CAPTURE(path);
    auto shortest = std::chrono::steady_clock::duration::max();
    // The machine may be busy with others: one of a few has to be as quick as that.
    for (int tries = 0; tries < 5; ++tries) {
      wire::client c(here.server.port());
      c.send(wire::get(path));
      REQUIRE(eventually([&] { return here.naps() == 1; }));
      const auto since = std::chrono::steady_clock::now();
      c.reset();
      REQUIRE(eventually([&] { return here.naps() == 0; }));
      shortest = std::min(shortest, std::chrono::steady_clock::now() - since);
    }
    CHECK(shortest < 100ms);
    CHECK(here.answers());
  }
}

TEST_CASE("the SQL of a handler whose time is over is stopped") {
  served here;
  const auto late = wire::client(here.server.port()).ask(wire::get("/hasty"));
  REQUIRE(late);
  CHECK(late->code == 503);
  CHECK(late->error_code() == "handler_timeout");
  CHECK(eventually([&] { return here.naps() == 0; }));
  CHECK(here.answers());
}
