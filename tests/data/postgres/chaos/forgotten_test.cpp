// Idle connections that the network has forgotten: they stay open, and nothing comes of them.

#include "data/postgres/backend.hpp"
#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

task<void> ask(data::source on) {
  (void)co_await on.query_one<int>("select 1");
}
task<void> hold(data::database db) {
  auto tx = co_await db.begin();
  co_await tx.execute("select 1");
  co_await pause(100ms);
  co_await tx.commit();
}
task<void> ping_soon(postgres::database pg) {
  const auto home = co_await pg.internals().here();
  home->ping_after = 50ms;
}

}  // namespace

TEST_CASE("idle connections that the network has forgotten are found and replaced, and no statement pays") {
  const temporary_postgres own;
  for (const int connections : {1, 3}) {
    CAPTURE(connections);
    proxy between(own.url());
    const auto db = postgres::open(between.in(own.url()) + "?connections=" + std::to_string(connections));
    side_by_side all;
    for (int i = 0; i < connections; ++i) all.start(hold(db));
    all.run();
    all.run_for(200ms);  // until nothing is under way
    REQUIRE(between.accepted() == connections);
    between.forget();
    all.start(ping_soon(postgres::database(db)));
    all.run_for(4s);  // a second until it is asked, and what it has for its answer
    const auto began = clock_type::now();
    for (int i = 0; i < 5; ++i) {
      auto& asked = all.start(ask(db));
      all.run();
      CHECK_FALSE(asked.thrown);
    }
    // Behind a forgotten connection it is statement_timeout, and without one to go to, checkout_timeout.
    CHECK(clock_type::now() - began < 3s);
    CHECK(between.accepted() > connections);
    db.stop();
  }
}
