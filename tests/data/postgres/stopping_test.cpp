// What a database leaves on the loops that used it when it is stopped: nothing.
#include "data/postgres/backend.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

using pool_seen = std::weak_ptr<postgres::pool>;

postgres::options nowhere() {
  postgres::options how;
  how.connection = "host=127.0.0.1 port=1";
  return how;
}
task<void> ask(data::source on) {
  (void)co_await on.query_one<int>("select 1");
}
task<void> look(postgres::database on, pool_seen* seen) {
  *seen = co_await on.internals().here();
}
task<void> hold(data::database db, bool* held, const bool* done) {
  auto tx = co_await db.begin();
  co_await ask(tx);
  *held = true;
  while (!*done) co_await pause(1ms);
  co_await ask(tx);
  co_await tx.commit();
}

}  // namespace

TEST_CASE("a loop lets go of the pool of a database that was stopped, and the database can end") {
  corbel::event_loop one, two;
  auto state = std::make_shared<postgres::shared_state>(nowhere());
  const pool_seen first = postgres::shared_state::pool_on(state, one);
  const pool_seen second = postgres::shared_state::pool_on(state, two);
  CHECK(first.lock() == postgres::shared_state::pool_on(state, one));
  CHECK(first.lock() != second.lock());
  const std::weak_ptr<postgres::shared_state> seen = state;
  state->close();
  one.context().poll();
  CHECK(first.expired());
  CHECK_FALSE(second.expired());
  two.context().poll();
  CHECK(second.expired());
  state.reset();
  CHECK(seen.expired());
}

TEST_CASE("a loop that asks a stopped database for the first time is refused at once") {
  const auto db = postgres::open(nowhere());
  db.stop();
  side_by_side all;
  auto& asked = all.start(ask(db));
  CHECK(all.run_until([&] { return asked.ended; }, 4s));  // before the checkout timeout of 5 s
  const auto failed = asked.failed();
  REQUIRE(failed);
  CHECK(failed->kind() == error_kind::unavailable);
  CHECK(failed->cause().find("the database was stopped") != std::string::npos);
}

TEST_CASE("a pool stays until the last transaction has given its connection back") {
  const temporary_postgres own("connections=2");
  side_by_side all;
  pool_seen seen;
  bool held = false;
  bool done = false;
  all.start(look(postgres::database(*own), &seen));
  auto& holder = all.start(hold(*own, &held, &done));
  REQUIRE(all.run_until([&] { return held; }));
  own->stop();
  all.run_for(20ms);
  CHECK_FALSE(seen.expired());
  auto& late = all.start(ask(*own));
  REQUIRE(all.run_until([&] { return late.ended; }));
  CHECK(late.failed());
  done = true;
  all.run();
  CHECK_FALSE(holder.thrown);
  CHECK(all.run_until([&] { return seen.expired(); }));
}
