#include <doctest/doctest.h>
#include <corbel/data/postgres/postgres.hpp>
#include <corbel/runtime/event_loop.hpp>
#include <corbel/testing/postgres.hpp>
#include <corbel/testing/run.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "lend.hpp"

namespace {

using testing::run;

task<void> keep(task<result<int>> work, std::optional<result<int>>* into) {
  into->emplace(co_await std::move(work));
}

task<void> hold(data::database db, uuid id, std::optional<data::transaction>* into, bool* held) {
  into->emplace(co_await db.begin());
  co_await (*into)->execute("update books set copies = copies where id = $1", id);
  *held = true;
}

}  // namespace

TEST_CASE("the last copy is lent once, whatever two readers saw before") {
  const testing::temporary_postgres own("connections=4");
  run(own->execute("create table books (id uuid primary key, copies int not null)"));
  run(own->execute("create table loans (book_id uuid references books, reader text)"));
  const auto id = uuid::v7();
  run(own->execute("insert into books values ($1, 1)", id));

  const auto other = data::connect(own.url(), {postgres::driver()});
  event_loop loop;
  std::exception_ptr thrown;
  std::optional<result<int>> lent[2];
  const auto ended = [&](const std::exception_ptr& e) {
    if (e) thrown = e;
  };
  // Somebody holds the book until both readers are at their change of it.
  std::optional<data::transaction> holder;
  bool held = false;
  boost::asio::co_spawn(loop.context(), hold(*own, id, &holder, &held), ended);
  const auto run_until = [&](auto done) {
    for (int i = 0; i < 3000 && !thrown && !done(); ++i) {
      loop.context().restart();
      loop.context().run_for(std::chrono::milliseconds(10));
    }
    REQUIRE(done());
  };
  const auto waiting = [&] {
    return *run(other.query_one<int>(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = "
        "'Lock'"));
  };
  run_until([&] { return held; });
  boost::asio::co_spawn(loop.context(), keep(lend_one(*own, id, "Ada"), &lent[0]), ended);
  boost::asio::co_spawn(loop.context(), keep(lend_one(*own, id, "Bob"), &lent[1]), ended);
  run_until([&] { return waiting() == 2; });
  holder->rollback();
  run_until([&] { return lent[0] && lent[1]; });

  REQUIRE(lent[0]->has_value() != lent[1]->has_value());
  CHECK((*lent[0] ? lent[1] : lent[0])->error().code() == "no_copy");
  CHECK(run(other.query_one<int>("select copies from books")) == 0);
  CHECK(run(other.query_one<int>("select count(*) from loans")) == 1);
  holder.reset();
  other.stop();
}
