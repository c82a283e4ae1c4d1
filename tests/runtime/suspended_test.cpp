#include "runtime/suspended.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <memory>
#include <thread>

using corbel::task;
using corbel::detail::suspend;
using corbel::detail::suspended;
namespace asio = boost::asio;

namespace {

/// Where one coroutine waits.
struct place {
  std::unique_ptr<suspended> who;
  int withdrawn = 0;
  bool passed = false;
};

task<> wait_in(place* here) {
  // Else a coroutine hears of nothing but terminal cancellation.
  co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  auto begin = [here](std::unique_ptr<suspended> who) { here->who = std::move(who); };
  auto withdraw = [here] {
    ++here->withdrawn;
    return std::move(here->who);
  };
  co_await suspend(std::move(begin), std::move(withdraw));
  here->passed = true;
}

task<> wait_for_good_in(place* here) {
  auto begin = [here](std::unique_ptr<suspended> who) { here->who = std::move(who); };
  co_await suspend(std::move(begin));
  here->passed = true;
}

/// A coroutine that waits, and what came of it.
struct waiting {
  explicit waiting(task<> what) {
    asio::co_spawn(context, std::move(what),
                   asio::bind_cancellation_slot(cancel.slot(), [this](std::exception_ptr e) {
                     ended = true;
                     thrown = e;
                   }));
    go_on();
  }
  void go_on() {
    context.restart();
    context.poll();
  }
  asio::io_context context;
  asio::cancellation_signal cancel;
  bool ended = false;
  std::exception_ptr thrown;
};

}  // namespace

TEST_CASE("a suspended coroutine goes on when it is resumed, from whichever thread") {
  place here;
  waiting one(wait_in(&here));
  CHECK(here.who);
  CHECK_FALSE(one.ended);
  std::thread([&] { here.who.release()->resume({}); }).join();
  CHECK_FALSE(here.passed);
  one.go_on();
  CHECK(here.passed);
  CHECK(one.ended);
  CHECK_FALSE(one.thrown);
  CHECK(here.withdrawn == 0);
}

TEST_CASE("cancelling takes a coroutine out of where it waits, once") {
  for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial}) {
    place here;
    waiting one(wait_in(&here));
    one.cancel.emit(type);
    one.cancel.emit(type);
    one.go_on();
    CHECK_FALSE(here.who);
    CHECK(one.ended);
    CHECK_FALSE(here.passed);
    REQUIRE(one.thrown);
    CHECK_THROWS_AS(std::rethrow_exception(one.thrown), boost::system::system_error);
  }
}

TEST_CASE("a request that promises to undo everything ends no wait") {
  place here;
  waiting one(wait_in(&here));
  one.cancel.emit(asio::cancellation_type::total);
  one.go_on();
  CHECK(here.who);
  CHECK(here.withdrawn == 0);
  here.who.release()->resume({});
  one.go_on();
  CHECK(here.passed);
}

TEST_CASE("who was resumed in the same turn goes on, and is cancelled at its next wait") {
  place here;
  waiting one(wait_in(&here));
  here.who.release()->resume({});
  one.cancel.emit(asio::cancellation_type::terminal);
  one.go_on();
  CHECK(here.passed);
}

TEST_CASE("a wait that nothing withdraws outlasts its cancellation") {
  place here;
  waiting one(wait_for_good_in(&here));
  one.cancel.emit(asio::cancellation_type::terminal);
  one.go_on();
  CHECK_FALSE(one.ended);
  here.who.release()->resume({});
  one.go_on();
  CHECK(here.passed);
}

TEST_CASE("a coroutine ends with the place where it waits") {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = alive;
  place here;
  asio::io_context context;
  asio::co_spawn(
      context,
      [](place* where, std::shared_ptr<int>) -> task<> { co_await wait_in(where); }(&here, std::move(alive)),
      asio::detached);
  context.poll();
  CHECK_FALSE(seen.expired());
  here.who.reset();
  context.restart();
  context.poll();
  CHECK(seen.expired());
}
