#include "corbel/runtime/deadline_wheel.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <random>
#include <vector>

using corbel::deadline_wheel;
using namespace std::chrono_literals;

namespace {

struct bell final : deadline_wheel::entry {
  std::function<void()> act;
  deadline_wheel::clock::time_point due{};
  deadline_wheel::clock::time_point rang{};
  int times = 0;
  void on_deadline() override {
    ++times;
    rang = deadline_wheel::clock::now();
    if (act) act();
  }
};

}  // namespace

TEST_CASE("deadlines are never early, and each rings once") {
  boost::asio::io_context context;
  deadline_wheel wheel(context);
  std::mt19937 random(4);
  std::vector<std::unique_ptr<bell>> all;
  const auto begin = deadline_wheel::clock::now();
  for (int i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<bell>());
    all.back()->due = begin + std::chrono::milliseconds(random() % 600) - 50ms;
    wheel.arm(*all.back(), all.back()->due);
  }
  context.run();  // ends by itself: an empty wheel keeps no timer
  for (const auto& each : all) {
    CHECK(each->times == 1);
    CHECK(each->rang >= each->due);
    CHECK_FALSE(each->armed());
  }
}

TEST_CASE("an bell can be moved, disarmed and destroyed before it rings") {
  boost::asio::io_context context;
  deadline_wheel wheel(context);
  const auto now = deadline_wheel::clock::now();
  bell later, earlier, never, again;
  wheel.arm(later, now + 10ms);
  wheel.arm(later, now + 350ms);
  wheel.arm(earlier, now + 60s);
  wheel.arm(earlier, now + 100ms);
  wheel.arm(never, now + 100ms);
  wheel.disarm(never);
  wheel.arm(again, now + 10ms);
  wheel.disarm(again);
  wheel.arm(again, now + 150ms);
  auto gone = std::make_unique<bell>();
  wheel.arm(*gone, now + 100ms);
  gone.reset();
  context.run();
  CHECK(later.times == 1);
  CHECK(later.rang >= now + 350ms);
  CHECK(earlier.times == 1);
  CHECK(never.times == 0);
  CHECK(again.times == 1);
  CHECK(again.rang >= now + 150ms);
}

TEST_CASE("an bell may arm itself again, and destroy itself and its neighbours") {
  boost::asio::io_context context;
  deadline_wheel wheel(context);
  const auto due = deadline_wheel::clock::now() + 50ms;
  bell repeats;
  repeats.act = [&] {
    if (repeats.times < 3) wheel.arm(repeats, deadline_wheel::clock::now() + 100ms);
  };
  wheel.arm(repeats, due);
  std::vector<std::unique_ptr<bell>> all;
  int rang = 0;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<bell>());
    all.back()->act = [&, i] {
      ++rang;
      const auto at = static_cast<std::size_t>(i);
      all[at ^ 1].reset();  // the neighbour, before or behind
      auto self = std::move(all[at]);
    };
    wheel.arm(*all.back(), due);
  }
  context.run();
  CHECK(repeats.times == 3);
  CHECK(rang == 10);
}

TEST_CASE("a deadline in the past rings at the next tick, one beyond the horizon waits") {
  boost::asio::io_context context;
  deadline_wheel wheel(context);
  bell past, far;
  wheel.arm(past, deadline_wheel::clock::now() - 1h);
  wheel.arm(far, deadline_wheel::clock::now() + 24h);
  context.run_for(400ms);
  CHECK(past.times == 1);
  CHECK(far.times == 0);
  CHECK(far.armed());
}

TEST_CASE("a wheel may go before what is armed on it, and before its timer's last call") {
  boost::asio::io_context context;
  bell one;
  {
    deadline_wheel wheel(context);
    wheel.arm(one, deadline_wheel::clock::now() + 10ms);
  }
  context.run();
  CHECK(one.times == 0);
}
