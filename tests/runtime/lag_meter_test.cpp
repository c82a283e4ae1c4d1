#include "corbel/runtime/lag_meter.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using corbel::lag_meter;

namespace {

/// A loop on a clock of its own.
struct loop {
  lag_meter lag;
  lag_meter::clock::time_point now{1h};

  loop() {
    lag.target(100ms);
    lag.begin_round(now, false);
  }
  /// A round with `work` pieces of work that take `each`; how many of them were in time.
  int round(int work, std::chrono::microseconds each, bool follows = true) {
    lag.begin_round(now, follows);
    int done = 0;
    for (int i = 0; i < work; ++i) {
      if (lag.late() && !lag.admit(now)) continue;
      now += each;
      ++done;
    }
    return done;
  }
};

}  // namespace

TEST_CASE("a loop that keeps up is never late") {
  loop l;
  for (int i = 0; i < 1000; ++i) {
    CHECK(l.round(50, 1ms) == 50);
    CHECK_FALSE(l.lag.late());
  }
}

TEST_CASE("bursts are served, however long, when they are followed by less") {
  loop l;
  for (int i = 0; i < 20; ++i) {
    for (const int work : {400, 90, 20, 5, 1, 0}) CHECK(l.round(work, 1ms) == work);
    CHECK_FALSE(l.lag.late());
  }
}

TEST_CASE("time between rounds that do not follow each other is no lateness") {
  loop l;
  for (int i = 0; i < 100; ++i) {
    CHECK(l.round(1, 1ms, false) == 1);
    l.now += 10s;  // idle
  }
  CHECK_FALSE(l.lag.late());
}

TEST_CASE("a queue that stands is cut to what is in time, at full use of the time") {
  loop l;
  const auto began = l.now;
  while (!l.lag.late()) l.round(300, 1ms);
  CHECK(l.now - began <= 1200ms);
  int done = 0;
  const auto from = l.now;
  for (int i = 0; i < 100; ++i) {
    const int now = l.round(300, 1ms);
    CHECK(now == 100);
    done += now;
  }
  CHECK(done * 1ms == l.now - from);
  // Only some seconds behind the last refusal a burst would be served whole again.
  while (l.now - from < 13s) l.round(20, 1ms);
  CHECK_FALSE(l.lag.late());
  CHECK(l.round(300, 1ms) == 300);
}

TEST_CASE("work that takes longer than the target is not refused as soon as two meet") {
  loop l;
  while (!l.lag.late()) l.round(3, 300ms);
  for (int i = 0; i < 50; ++i) l.round(3, 300ms);
  CHECK(l.round(3, 300ms) == 2);
}

TEST_CASE("work apart from the rounds is in time, though the last round was long ago") {
  loop l;
  while (!l.lag.late()) l.round(300, 1ms);
  l.now += 5s;
  CHECK_FALSE(l.lag.admit(l.now));
  l.lag.begin_apart(l.now);
  CHECK(l.lag.admit(l.now));
}

TEST_CASE("what presses a loop makes it look twice, and no more") {
  loop l;
  l.lag.press(true);
  CHECK(l.lag.late());
  CHECK(l.lag.admit(l.now + 1h));
  l.lag.press(false);
  CHECK_FALSE(l.lag.late());
}

TEST_CASE("without a target nothing is late") {
  loop l;
  l.lag.target(0ms);
  for (int i = 0; i < 100; ++i) CHECK(l.round(1000, 1ms) == 1000);
  CHECK_FALSE(l.lag.late());
}
