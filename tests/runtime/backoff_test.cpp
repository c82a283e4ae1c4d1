#include "runtime/backoff.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

using corbel::detail::backoff;
using namespace std::chrono_literals;

TEST_CASE("each wait is between half of a limit and all of it, and the limit doubles up to the longest") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    backoff waits(25ms, 500ms, seed);
    for (const backoff::duration most : {25ms, 50ms, 100ms, 200ms, 400ms, 500ms, 500ms, 500ms}) {
      const auto wait = waits.next();
      CHECK(wait >= most / 2);
      CHECK(wait <= most);
    }
    CHECK(waits.failures() == 8);
    waits.reset();
    CHECK(waits.failures() == 0);
    CHECK(waits.next() <= backoff::duration(25ms));
  }
}

TEST_CASE("the same seed gives the same waits, another one others") {
  const auto waits_of = [](std::uint64_t seed) {
    backoff waits(1s, 1h, seed);
    std::vector<backoff::duration> all;
    for (int i = 0; i < 20; ++i) all.push_back(waits.next());
    return all;
  };
  CHECK(waits_of(7) == waits_of(7));
  CHECK(waits_of(7) != waits_of(8));
  // Seeds beside each other have nothing in common.
  std::set<backoff::duration> firsts;
  for (std::uint64_t seed = 0; seed < 100; ++seed) firsts.insert(waits_of(seed).front());
  CHECK(firsts.size() == 100);
  CHECK(backoff::any_seed() != backoff::any_seed());
}

TEST_CASE("a long outage overflows nothing") {
  backoff waits(1ms, backoff::duration::max(), 1);
  auto longest = backoff::duration::zero();
  for (int i = 0; i < 1000; ++i) {
    const auto wait = waits.next();
    CHECK(wait > backoff::duration::zero());
    longest = std::max(longest, wait);
  }
  CHECK(longest >= backoff::duration::max() / 2);
}

TEST_CASE("limits that leave no room are kept") {
  backoff none(0ms, 0ms, 1);
  CHECK(none.next() == 0ms);
  CHECK(none.next() == 0ms);
  backoff crossed(1s, 10ms, 1);  // the longest holds
  CHECK(crossed.next() <= backoff::duration(10ms));
  CHECK(none.spread(-1ms) == 0ms);
  CHECK(none.spread(backoff::duration(1)) <= backoff::duration(1));
}

TEST_CASE("the random part reaches both of its ends") {
  backoff any(1ms, 1ms, 3);
  std::set<backoff::duration::rep> seen;
  for (int i = 0; i < 200; ++i) seen.insert(any.spread(backoff::duration(4)).count());
  CHECK(seen == std::set<backoff::duration::rep>{2, 3, 4});
}
