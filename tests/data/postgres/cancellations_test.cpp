// Where statements are stopped: how many at a time, and what is waited for at the end. No server is asked.
#include "data/postgres/cancellations.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using corbel::postgres::cancellations;
using namespace std::chrono_literals;

namespace {

/// A server that answers when the test says so.
struct silent_server {
  std::promise<void> gate;
  std::shared_future<void> answer = gate.get_future().share();
  auto cancel() const {
    return [answer = answer] { answer.wait(); };
  }
};

}  // namespace

TEST_CASE("each cancellation is run, and then told to be over") {
  cancellations all;
  std::atomic<int> cancelled{0};
  for (int i = 0; i < 100; ++i) {
    std::promise<int> over;
    REQUIRE(all.start([&] { ++cancelled; }, [&] { over.set_value(cancelled); }));
    CHECK(over.get_future().get() == i + 1);
  }
}

TEST_CASE("no more are under way than the limit allows, and there is room when they have ended") {
  cancellations all(2);
  silent_server server;
  std::atomic<int> over{0};
  CHECK(all.start(server.cancel(), [&] { ++over; }));
  CHECK(all.start(server.cancel(), [&] { ++over; }));
  CHECK_FALSE(all.start([] {}, [&] { over += 100; }));
  server.gate.set_value();
  while (!all.start([] {}, [&] { ++over; })) std::this_thread::yield();
  all.stop();
  CHECK(over == 3);
}

TEST_CASE("who is not patient is told in time, and once") {
  cancellations all;
  silent_server server;
  std::promise<void> told;
  std::atomic<int> over{0};
  const auto tell = [&] {
    if (++over == 1) told.set_value();
  };
  CHECK(all.start(server.cancel(), tell, 1ms));
  told.get_future().wait();  // the server has not answered
  server.gate.set_value();
  all.stop();
  CHECK(over == 1);
}

TEST_CASE("stopping waits for what ends, and refuses what comes") {
  cancellations all(64, 1h);
  std::vector<int> order;
  std::promise<void> began;
  CHECK(all.start(
      [&] {
        began.set_value();
        std::this_thread::sleep_for(20ms);
        order.push_back(1);
      },
      [&] { order.push_back(2); }));
  began.get_future().wait();
  all.stop();
  order.push_back(3);
  CHECK(order == std::vector{1, 2, 3});
  CHECK_FALSE(all.start([] {}, [] {}));
  all.stop();
}

TEST_CASE("a server that never answers holds up no stop, and is nobody's any more afterwards") {
  silent_server server;
  std::atomic<int> patient{0}, impatient{0};
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = held;
  {
    cancellations all(64, 10ms);
    const auto cancel = [wait = server.cancel(), held = std::move(held)] { wait(); };
    CHECK(all.start(cancel, [&] { ++patient; }));
    CHECK(all.start(
        cancel, [&] { ++impatient; }, 1h));
  }
  CHECK(patient == 0);
  CHECK(impatient == 1);
  server.gate.set_value();
  while (!seen.expired()) std::this_thread::yield();
  CHECK(patient == 0);
  CHECK(impatient == 1);
}
