// What blocks, blocks threads of its own: never a loop, and never stop.

#include <future>

#include "support/proxy.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

task<void> copy_slowly(postgres::database pg) {
  auto out = co_await pg.copy_out_text("copy (select pg_sleep(60)) to stdout");
  (void)co_await out.next();
}
task<void> copy_quickly(postgres::database pg, int* rows) {
  auto out = co_await pg.copy_out_text("copy (select 1) to stdout");
  while (co_await out.next()) ++*rows;
}

}  // namespace

namespace {

/// Says when the coroutine that has it is destroyed.
struct witness {
  bool* gone;
  ~witness() { *gone = true; }
};

task<void> copy_until(postgres::database pg, std::unique_ptr<witness> mine) {
  auto out = co_await pg.copy_out_text("copy (select pg_sleep(2)) to stdout");
  (void)co_await out.next();
  CHECK_FALSE(mine);
}

}  // namespace

TEST_CASE("a loop that ends takes with it who waits for a thread, or for what one does") {
  const temporary_postgres own("threads=1&checkout_timeout=20s");
  const postgres::database pg(*own);
  bool works = false;
  bool waits = false;
  {
    side_by_side all;
    all.start(copy_until(pg, std::unique_ptr<witness>(new witness{&works})));
    all.run_for(200ms);
    all.start(copy_until(pg, std::unique_ptr<witness>(new witness{&waits})));
    all.run_for(100ms);
    REQUIRE(all.running() == 2);
  }
  CHECK(works);
  CHECK(waits);
  // The thread comes to its end without them, and serves others.
  int rows = 0;
  side_by_side others;
  others.start(copy_quickly(pg, &rows));
  others.run();
  CHECK(rows == 1);
}

TEST_CASE("a server that answers no cancellation holds up neither the loop nor stop") {
  const temporary_postgres own;
  proxy between(own.url());
  const auto db = postgres::open(between.in(own.url()) + "?threads=2&checkout_timeout=20s");
  const postgres::database pg(db);
  side_by_side all;
  int rows = 0;
  all.start(copy_quickly(pg, &rows));
  all.run();
  CHECK(rows == 1);
  auto& one = all.start(copy_slowly(pg));
  auto& other = all.start(copy_slowly(pg));
  all.run_for(300ms);
  REQUIRE_FALSE(one.ended);
  between.stall(true);
  one.stop();
  other.stop();
  CHECK(all.run_until([&] { return one.ended && other.ended; }, 1s));
  CHECK(one.cancelled());
  auto stopped = std::async(std::launch::async, [&] { db.stop(); });
  const bool in_time = stopped.wait_for(10s) == std::future_status::ready;
  between.stall(false);
  CHECK(in_time);
}
