// A server that refuses connections is asked again, less and less often, and not by everybody at once.

#include <algorithm>
#include <deque>

#include "data/postgres/support/processes.hpp"
#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

using attempts = std::vector<std::chrono::steady_clock::time_point>;

/// From here on the pauses have reached their limit.
constexpr std::size_t grown = 6;

task<void> ask(data::database db) {
  try {
    co_await db.ping();
  } catch (const corbel::failure&) {
  }
}

/// When each of these pools tried to connect, within three seconds in which statements keep coming.
std::vector<attempts> attempts_of(std::size_t pools) {
  std::deque<proxy> nowhere;
  std::vector<data::database> all;
  for (std::size_t i = 0; i < pools; ++i) {
    nowhere.emplace_back(own::free_port());
    all.push_back(postgres::open("postgres://nobody@127.0.0.1:" + std::to_string(nowhere.back().port()) +
                                 "/none?sslmode=disable&connections=1"));
  }
  side_by_side users;
  for (const auto until = std::chrono::steady_clock::now() + 3s; std::chrono::steady_clock::now() < until;) {
    for (const auto& one : all) users.start(ask(one));
    users.run_for(10ms);
  }
  for (const auto& one : all) one.stop();
  users.run();
  std::vector<attempts> seen;
  for (auto& one : nowhere) seen.push_back(one.turned_away());
  return seen;
}

int has_one_near(attempts::value_type when, const attempts& others) {
  return std::any_of(others.begin(), others.end(),
                     [&](const auto& one) { return std::chrono::abs(one - when) < 20ms; });
}

}  // namespace

TEST_CASE(
    "a server that refuses is asked as often as the growing pauses allow, by each pool in its own time") {
  const auto pools = attempts_of(4);
  std::size_t most = 0;
  auto first = std::chrono::steady_clock::duration::max();
  auto shortest = std::chrono::steady_clock::duration::max();
  for (const auto& tries : pools) {
    // The shortest pauses: 12, 25, 50, 100 and 200 ms, and then 250 ms each time. A busy machine adds to
    // them.
    CHECK(tries.size() <= 17);
    REQUIRE(tries.size() > grown);
    most = std::max(most, tries.size());
    first = std::min(first, tries[1] - tries[0]);
    for (auto i = grown; i < tries.size(); ++i) shortest = std::min(shortest, tries[i] - tries[i - 1]);
  }
  CHECK(first < 200ms);
  // The longest allow ten. With pauses that grow further there would be eight at most.
  CHECK(most >= 9);
  // It is 500 ms without jitter.
  CHECK(shortest < 450ms);

  int all = 0;
  int together = 0;
  for (std::size_t mine = 0; mine < pools.size(); ++mine)
    for (std::size_t other = mine + 1; other < pools.size(); ++other)
      for (auto i = grown; i < pools[mine].size(); ++i, ++all)
        together += has_one_near(pools[mine][i], pools[other]);
  CHECK(together < all / 2);
}
