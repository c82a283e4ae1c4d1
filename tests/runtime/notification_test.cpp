#include "corbel/runtime/notification.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <string>

using corbel::notification;
using corbel::task;
namespace asio = boost::asio;

namespace {

task<> wait_twice(notification* news, std::string* told) {
  co_await news->wait();
  *told += "first ";
  co_await news->wait();
  *told += "second ";
}

}  // namespace

TEST_CASE("a notification wakes who waits, behind what runs, and nobody else") {
  asio::io_context context;
  notification news;
  std::string told;
  news.notify();  // nobody waits yet: it is not remembered
  asio::co_spawn(context, wait_twice(&news, &told), asio::detached);
  context.poll();
  CHECK(told.empty());
  CHECK(news.awaited());
  news.notify();
  CHECK(told.empty());
  CHECK_FALSE(news.awaited());
  news.notify();  // the first was not taken up yet
  context.restart();
  context.poll();
  CHECK(told == "first ");
  news.notify();
  context.restart();
  context.run();  // returns: nothing keeps the loop any more
  CHECK(told == "first second ");
}

TEST_CASE("a cancelled wait ends with operation_aborted, whatever else happened in the same turn") {
  for (const bool notified : {false, true}) {
    asio::io_context context;
    notification news;
    std::string told;
    asio::cancellation_signal cancel;
    std::exception_ptr thrown;
    asio::co_spawn(context, wait_twice(&news, &told),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { thrown = e; }));
    context.poll();
    if (notified) news.notify();
    cancel.emit(asio::cancellation_type::terminal);
    context.restart();
    context.run();
    CHECK(told == (notified ? "first " : ""));
    REQUIRE(thrown);
    CHECK_THROWS_AS(std::rethrow_exception(thrown), boost::system::system_error);
  }
}

TEST_CASE("a notification that goes takes the coroutine with it") {
  auto alive = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = alive;
  asio::io_context context;
  {
    notification news;
    asio::co_spawn(
        context,
        [](notification* from, std::shared_ptr<int>) -> task<> { co_await from->wait(); }(&news,
                                                                                          std::move(alive)),
        asio::detached);
    context.poll();
    CHECK_FALSE(seen.expired());
  }
  context.restart();
  context.poll();
  CHECK(seen.expired());
}
