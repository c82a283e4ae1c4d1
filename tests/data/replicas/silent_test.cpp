// A replica falls silent: its connections stay open, and nothing comes of them.

#include <deque>

#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "replicated.hpp"

namespace {

struct reading {
  steady::time_point asked = steady::now();
  steady::duration took{};
  int who = -1;  // nobody
};

task<void> read(data::source from, reading* into) {
  into->who = co_await who_answers(from);
  into->took = steady::now() - into->asked;
}

}  // namespace

TEST_CASE("reads go on elsewhere within two seconds when a replica falls silent, and come back to it") {
  const temporary_postgres own;
  own::server silent(of_the_tests_server());
  own::server other(of_the_tests_server());
  silent.start();
  other.start();
  proxy between(silent.port());
  // What is under way there waits longer than the test asks.
  const auto db = postgres::open(own.url() + "?statement_timeout=3s&replicas=" + other.place() +
                                 ",127.0.0.1:" + std::to_string(between.port()));
  const auto reads = postgres::database(db).replicas();
  side_by_side all;
  std::deque<reading> asked;
  const auto ask = [&]() -> const reading& {
    all.start(read(reads, &asked.emplace_back()));
    return asked.back();
  };
  const auto comes_to_silent = [&] {
    const auto give_up = steady::now() + 60s;
    for (bool there = false; !there && steady::now() < give_up;) {
      const auto& one = ask();
      all.run_until([&] { return one.took.count() > 0 || all.running() == 0; });
      there = one.who == silent.port();
    }
    return asked.back().who == silent.port();
  };
  REQUIRE(comes_to_silent());

  between.stall(true);
  asked.clear();
  const auto since = steady::now();
  while (steady::now() - since < 3500ms) {
    ask();
    all.run_for(5ms);
  }
  all.run();
  int stuck = 0;
  steady::duration last_stuck{};
  for (const auto& one : asked) {
    CHECK((one.who == other.port() || one.who == 0));
    if (one.took < 1s) continue;
    ++stuck;
    last_stuck = std::max(last_stuck, one.asked - since);
  }
  CHECK(stuck > 0);  // or the test says nothing of it
  CHECK(last_stuck < 2s);
  for (const auto& each : all.all()) CHECK_FALSE(each.thrown);

  between.stall(false);
  CHECK(comes_to_silent());
  db.stop();
}
