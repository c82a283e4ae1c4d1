#include <doctest/doctest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

using namespace std::chrono_literals;
using corbel::server_settings;

void wire_up(corbel::route_group routes) {
  routes.get("/ping", [] { return std::string("pong"); });
  routes.get("/waits", []() -> corbel::task<std::string> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 60s);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return std::string("late");
  });
  routes.post("/body", [](const corbel::request& in) { return std::string(in.body()); });
  routes.get("/large", [] { return std::string(8 * 1024 * 1024, 'x'); });
}

server_settings with(std::chrono::milliseconds idle_grace, std::chrono::milliseconds drain_delay = 0ms) {
  server_settings settings;
  settings.idle_grace = idle_grace;
  settings.drain_delay = drain_delay;
  return settings;
}

bool over(const std::future<void>& drained) {
  return drained.wait_for(0s) == std::future_status::ready;
}

}  // namespace

TEST_CASE("a drain without connections ends at once") {
  running server(with(60s), wire_up, 2);
  CHECK(server.begin_drain().wait_for(5s) == std::future_status::ready);
}

TEST_CASE("an idle connection has its grace: one more request is answered, and told that it is the last") {
  const auto log = std::make_shared<corbel::captured_log>();
  running server(with(60s), wire_up, 2, {}, corbel::logger(log));
  wire::client used(server.port());
  CHECK_FALSE(used.ask(wire::get("/ping")).value().header("Connection"));
  wire::client fresh(server.port());
  CHECK(eventually([&] { return server.server().connections() == 2; }));
  const auto drained = server.begin_drain();
  CHECK(eventually([&] { return log->contains("listening no more"); }));
  std::this_thread::sleep_for(50ms);
  for (auto* each : {&used, &fresh}) {
    CHECK_FALSE(over(drained));
    const auto last = each->ask(wire::get("/ping"));
    CHECK(last.value().body == "pong");
    CHECK(last->header("Connection") == "close");
    CHECK(each->ends());
    each->half_close();
  }
  CHECK(drained.wait_for(5s) == std::future_status::ready);
  CHECK(log->contains("drained"));
}

TEST_CASE("who waits when the time to drain is over is told so") {
  auto settings = with(0ms);
  settings.drain_timeout = 200ms;
  running server(settings, wire_up, 2);
  wire::client waiting(server.port()), sending(server.port()), silent(server.port()), begun(server.port());
  waiting.send(wire::get("/waits"));
  sending.send("POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhel");
  begun.send("GET /ping HTTP/1.1\r\nHost:");
  std::this_thread::sleep_for(100ms);
  const auto drained = server.begin_drain();
  for (auto* each : {&waiting, &sending}) {
    const auto told = each->read();
    REQUIRE(told);
    CHECK(told->code == 503);
    CHECK(told->error_code() == "shutting_down");
    CHECK(told->header("Connection") == "close");
    CHECK(told->header("Retry-After") == "1");
    CHECK(each->ends());
    each->half_close();
  }
  for (auto* each : {&silent, &begun}) CHECK(each->ends());
  CHECK(drained.wait_for(10s) == std::future_status::ready);
}

TEST_CASE("an idle connection is closed behind its grace") {
  running server(with(200ms), wire_up);
  wire::client idle(server.port());
  CHECK(idle.ask(wire::get("/ping")).value().body == "pong");
  const auto from = std::chrono::steady_clock::now();
  const auto drained = server.begin_drain();
  CHECK(idle.ends());
  CHECK(std::chrono::steady_clock::now() - from >= 150ms);
  CHECK(drained.wait_for(5s) == std::future_status::ready);
}

TEST_CASE("a connection that becomes idle while it drains has its grace too, and no more") {
  running server(with(200ms), wire_up);
  wire::client slow(server.port(), {4096});
  slow.send(wire::get("/large"));
  std::this_thread::sleep_for(100ms);
  const auto drained = server.begin_drain();
  std::this_thread::sleep_for(50ms);
  CHECK_FALSE(over(drained));
  CHECK(slow.read().value().body.size() == 8 * 1024 * 1024);
  CHECK(slow.ends());
  slow.half_close();
  CHECK(drained.wait_for(3s) == std::future_status::ready);
}

TEST_CASE("with a delay the server goes on as before, then drains") {
  running server(with(0ms, 300ms), wire_up, 2);
  const auto drained = server.begin_drain();
  for (int i = 0; i < 5; ++i) {
    const auto answer = wire::client(server.port()).ask(wire::get("/ping"));
    CHECK(answer.value().body == "pong");
    CHECK_FALSE(answer->header("Connection"));
  }
  CHECK_FALSE(over(drained));
  CHECK(drained.wait_for(5s) == std::future_status::ready);
  CHECK_THROWS(wire::client(server.port()));
}
