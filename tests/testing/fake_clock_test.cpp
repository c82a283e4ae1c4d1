#include "corbel/testing/fake_clock.hpp"

#include <doctest/doctest.h>

using corbel::testing::fake_clock;
using std::chrono::milliseconds;

TEST_CASE("a fake clock stands still until it is moved") {
  fake_clock clock;
  CHECK(corbel::to_text(clock.now()) == "2026-01-02T03:04:05.000Z");
  CHECK(clock.now() == clock.now());
  const auto before = clock.steady();
  clock.advance(milliseconds(1500));
  CHECK(corbel::to_text(clock.now()) == "2026-01-02T03:04:06.500Z");
  CHECK(clock.steady() - before == milliseconds(1500));
}

TEST_CASE("a step of the time of day leaves the steady time alone") {
  fake_clock clock;
  const auto before = clock.steady();
  clock.set(*corbel::parse_timestamp("1999-12-31T23:59:59.999Z"));
  CHECK(corbel::to_text(clock.now()) == "1999-12-31T23:59:59.999Z");
  CHECK(clock.steady() == before);
  clock.advance(milliseconds(1));
  CHECK(corbel::to_text(clock.now()) == "2000-01-01T00:00:00.000Z");
}
