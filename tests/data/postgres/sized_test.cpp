// Connections belong to a loop: each has as many as it may, and uses no others.

#include <atomic>
#include <set>
#include <thread>

#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

using pids = std::set<int>;

/// Statements and transactions, until it is over.
task<void> use(data::database db, const std::atomic<bool>* over, pids* seen) {
  while (!*over) {
    const auto shared = co_await db.query_one<int>("select pg_backend_pid()");
    seen->insert(shared.value_or(-1));
    const auto slow = co_await db.query_one<int>("select pg_backend_pid() from pg_sleep(0.02)");
    seen->insert(slow.value_or(-1));
    auto tx = co_await db.begin();
    const auto alone = co_await tx.query_one<int>("select pg_backend_pid()");
    seen->insert(alone.value_or(-1));
    co_await tx.commit();
  }
}

}  // namespace

TEST_CASE("two loops have connections of their own, each no more than it may, whatever the load") {
  const temporary_postgres own("connections=2&application_name=counted");
  const auto watcher = postgres::open(own.url());
  std::atomic<bool> over{false};
  std::atomic<int> failed{0};
  pids of_loop[2];
  std::vector<std::thread> loops;
  for (auto& seen : of_loop)
    loops.emplace_back([&own, &over, &failed, &seen] {
      side_by_side users;
      for (int i = 0; i < 20; ++i) users.start(use(*own, &over, &seen));
      users.run_until([&] { return users.running() == 0; }, 60s);
      for (const auto& each : users.all())
        if (each.thrown || !each.ended) ++failed;
    });
  int most = 0;
  int looks = 0;
  for (const auto until = std::chrono::steady_clock::now() + 1s; std::chrono::steady_clock::now() < until;
       ++looks)
    // By their name: each look has a connection of its own, and the last one may still be there.
    most = std::max(most, one<int>(watcher,
                                   "select count(*) from pg_stat_activity where datname = current_database() "
                                   "and application_name = 'counted'"));
  over = true;
  for (auto& each : loops) each.join();
  CHECK(failed == 0);
  CHECK(looks > 10);
  CHECK(most == 4);
  for (const auto& seen : of_loop) CHECK(seen.size() == 2);
  for (const int pid : of_loop[0]) CHECK_FALSE(of_loop[1].contains(pid));
  watcher.stop();
}
