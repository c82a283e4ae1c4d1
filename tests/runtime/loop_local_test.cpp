#include "corbel/runtime/loop_local.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using corbel::event_loop;
using corbel::loop_local;
namespace asio = boost::asio;

TEST_CASE("each loop keeps one object of each owner") {
  event_loop one, two;
  loop_local<int> numbers, others;
  CHECK(numbers.find(one) == nullptr);
  CHECK(numbers.keep(one, std::make_shared<int>(1)));
  CHECK(numbers.keep(two, std::make_shared<int>(2)));
  CHECK(others.keep(one, std::make_shared<int>(3)));
  CHECK(*numbers.find(one) == 1);
  CHECK(*numbers.find(two) == 2);
  CHECK(*others.find(one) == 3);
  CHECK(others.find(two) == nullptr);
  numbers.erase(one);
  CHECK(numbers.find(one) == nullptr);
  CHECK(*others.find(one) == 3);
  CHECK(numbers.keep(one, std::make_shared<int>(4)));
}

TEST_CASE("what an owner keeps goes with it, on every loop, when the loop has its turn") {
  event_loop one, two;
  auto object = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = object;
  std::optional<loop_local<int>> owner(std::in_place);
  CHECK(owner->keep(one, object));
  CHECK(owner->keep(two, std::move(object)));
  std::thread([&] { owner.reset(); }).join();
  CHECK_FALSE(seen.expired());
  one.context().poll();
  CHECK_FALSE(seen.expired());
  two.context().poll();
  CHECK(seen.expired());
}

TEST_CASE("an owner at the address of another one finds nothing of it") {
  event_loop loop;
  std::optional<loop_local<int>> owner(std::in_place);
  CHECK(owner->keep(loop, std::make_shared<int>(1)));
  owner.emplace();
  CHECK(owner->find(loop) == nullptr);
}

TEST_CASE("closing tells each object, on its loop, and refuses another one") {
  event_loop one, two;
  loop_local<std::vector<int>> owner;
  CHECK(owner.keep(one, std::make_shared<std::vector<int>>()));
  std::thread([&] { owner.close([](std::vector<int>& v) { v.push_back(1); }); }).join();
  CHECK(owner.find(one)->empty());
  CHECK_FALSE(owner.keep(two, std::make_shared<std::vector<int>>()));
  CHECK(owner.find(two) == nullptr);
  one.context().poll();
  CHECK(owner.find(one)->size() == 1);
  owner.erase();
  owner.erase();
  one.context().restart();
  one.context().poll();
  CHECK(owner.find(one) == nullptr);
}

TEST_CASE("what a loop keeps goes with the loop, whoever goes first") {
  loop_local<int> owner;
  auto object = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = object;
  asio::io_context host;
  {
    event_loop loop(host);
    CHECK(owner.keep(loop, std::move(object)));
  }
  CHECK(seen.expired());
  owner.close([](int&) { FAIL("the loop is gone"); });
  owner.erase();
  host.poll();
}

TEST_CASE("an object that looks for itself as it goes finds nothing") {
  event_loop loop;
  struct object {
    loop_local<object>* all;
    event_loop* home;
    bool* found;
    ~object() { *found = all->find(*home) != nullptr; }
  };
  loop_local<object> all;
  bool found = true;
  CHECK(all.keep(loop, std::shared_ptr<object>(new object{&all, &loop, &found})));
  all.erase(loop);
  CHECK_FALSE(found);
}

TEST_CASE("owners that end while loops come and go leave nothing behind") {
  std::atomic<int> alive{0};
  struct counted {
    explicit counted(std::atomic<int>& c) : count(c) { ++count; }
    ~counted() { --count; }
    std::atomic<int>& count;
  };
  for (int round = 0; round < 50; ++round) {
    auto owner = std::make_shared<loop_local<counted>>();
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&alive, owner] {
        event_loop loop;
        (void)owner->keep(loop, std::make_shared<counted>(alive));
        loop.context().poll();
      });
    owner->erase();
    owner.reset();
    for (auto& each : threads) each.join();
    CHECK(alive == 0);
  }
}
