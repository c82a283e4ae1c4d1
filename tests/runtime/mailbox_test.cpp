#include "runtime/mailbox.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "corbel/runtime/event_loop.hpp"

using corbel::event_loop;
using corbel::detail::mailbox;
namespace asio = boost::asio;

TEST_CASE("work of other threads runs on the loop, in its order") {
  event_loop loop;
  const auto mail = loop.mail();
  std::vector<int> ran;
  std::thread other([&] {
    for (int i = 0; i < 3; ++i) CHECK(mail->post([&ran, i] { ran.push_back(i); }));
  });
  other.join();
  CHECK(ran.empty());
  CHECK(mail->waiting() == 3);
  loop.context().poll();
  CHECK(ran == std::vector{0, 1, 2});
  CHECK(mail->waiting() == 0);
}

TEST_CASE("a bounded mailbox refuses what it has no room for, and has room again afterwards") {
  event_loop loop;
  const auto mail = std::make_shared<mailbox>(loop, 2);
  int ran = 0;
  CHECK(mail->post([&] {
    ++ran;
    CHECK(mail->post([&] { ++ran; }));  // its own place is free while it runs
  }));
  CHECK(mail->post([&] { ++ran; }));
  CHECK_FALSE(mail->post([&] { ran += 100; }));
  loop.context().poll();
  CHECK(ran == 3);
  CHECK(mail->post([&] { ++ran; }));
}

TEST_CASE("what waits in a mailbox that is closed is dropped with all it holds") {
  event_loop loop;
  const auto mail = std::make_shared<mailbox>(loop);
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = held;
  CHECK(mail->post([held = std::move(held)] { ++*held; }));
  mail->close();
  CHECK_FALSE(mail->is_open());
  CHECK_FALSE(mail->post([] {}));
  loop.context().poll();
  CHECK(seen.expired());
}

TEST_CASE("the mail of a loop that went away reaches nobody, though its context runs on") {
  asio::io_context host;
  std::optional<event_loop> loop(std::in_place, host);
  const auto mail = loop->mail();
  bool ran = false;
  CHECK(mail->post([&] { ran = true; }));
  loop.reset();
  CHECK_FALSE(mail->post([&] { ran = true; }));
  host.poll();
  CHECK_FALSE(ran);
}
