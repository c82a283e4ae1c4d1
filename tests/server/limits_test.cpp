#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <string>

#include "corbel/middleware/access_log.hpp"
#include "corbel/middleware/request_id.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using corbel::request;
using corbel::server_limits;
using corbel::task;

std::string echo(const request& in) {
  return std::to_string(in.body().size());
}

/// What happened to a handler that waits for longer than anybody lets it.
struct patience {
  std::atomic<int> started{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> ended{0};
};

task<std::string> nap(const request& in, corbel::state<patience> seen) {
  ++seen->started;
  struct count_end {
    patience& p;
    ~count_end() { ++p.ended; }
  } const end{*seen};
  std::int64_t ms = 0;
  for (const char c : in.path_param("ms").value_or("0")) ms = ms * 10 + (c - '0');
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(ms));
  try {
    co_await timer.async_wait(asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    seen->cancelled += in.peer() == "127.0.0.1";  // what a handler may read holds beyond its connection
    throw;
  }
  co_return "slept";
}

void check_refused(const std::optional<wire::reply>& reply, int code, std::string_view error_code) {
  REQUIRE(reply);
  CHECK(reply->code == code);
  CHECK(reply->error_code() == error_code);
  CHECK(reply->header("Connection") == "close");
}

void check_served(const running& server) {
  CHECK(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
}

void ping(corbel::route_group routes) {
  routes.get("/ping", [] { return std::string("pong"); });
  routes.post("/echo", &echo);
}

}  // namespace

TEST_CASE("a head over its limits is answered 414 or 431") {
  running server(ping);
  const auto line = [](std::size_t n) {
    return "GET /ping?" + std::string(n - 19, 'q') + " HTTP/1.1\r\nHost: test\r\n\r\n";
  };
  CHECK(wire::client(server.port()).ask(line(8192)).value().code == 200);
  check_refused(wire::client(server.port()).ask(line(8193)), 414, "uri_too_long");
  check_refused(wire::client(server.port()).ask("GET /" + std::string(60'000, 'x')), 414, "uri_too_long");

  const auto field = [](std::size_t n) { return "X-A: " + std::string(n - 7, 'a') + "\r\n"; };
  CHECK(wire::client(server.port()).ask(wire::get("/ping", field(16 * 1024 - 12))).value().code == 200);
  check_refused(wire::client(server.port()).ask(wire::get("/ping", field(16 * 1024 - 11))), 431,
                "headers_too_large");
  check_refused(wire::client(server.port()).ask("GET /ping HTTP/1.1\r\nX: " + std::string(50'000, 'x')), 431,
                "headers_too_large");

  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  CHECK(wire::client(server.port()).ask(wire::get("/ping", fields)).value().code == 200);
  check_refused(wire::client(server.port()).ask(wire::get("/ping", fields + "X-100: 1\r\n")), 431,
                "headers_too_large");
}

TEST_CASE("a body over its limit is answered 413, by its length, by its chunks, and by its route's limit") {
  server_limits limits;
  limits.body_bytes = 1000;
  running server(
      [](corbel::route_group routes) {
        ping(routes);
        routes.post("/small", &echo).body_limit(10);
        routes.post("/large", &echo).body_limit(500'000);
      },
      limits);
  const auto ask = [&](const std::string& bytes) { return wire::client(server.port()).ask(bytes); };
  const auto body = [](std::size_t n) { return std::string(n, 'b'); };
  CHECK(ask(wire::post("/echo", body(1000))).value().body == "1000");
  CHECK(ask(wire::chunked("/echo", {body(500), body(500)})).value().body == "1000");
  check_refused(ask(wire::post("/echo", body(1001))), 413, "payload_too_large");
  check_refused(ask(wire::post("/echo", body(200'000))), 413, "payload_too_large");
  check_refused(ask(wire::chunked("/echo", {body(500), body(501)})), 413, "payload_too_large");
  check_refused(ask(wire::chunked("/echo", {body(200'000)})), 413, "payload_too_large");

  CHECK(ask(wire::post("/small", body(10))).value().body == "10");
  check_refused(ask(wire::chunked("/small", {body(11)})), 413, "payload_too_large");
  // Read whole before it was measured: the connection may go on.
  wire::client c(server.port());
  const auto small = c.ask(wire::post("/small", body(11)));
  CHECK(small.value().code == 413);
  CHECK(small->error_code() == "payload_too_large");
  CHECK(c.ask(wire::get("/ping")).value().body == "pong");

  CHECK(ask(wire::post("/large", body(500'000))).value().body == "500000");
  CHECK(ask(wire::chunked("/large", {body(250'000), body(250'000)})).value().body == "500000");
  check_refused(ask(wire::post("/large", body(500'001))), 413, "payload_too_large");
  check_refused(ask(wire::chunked("/large", {body(250'000), body(250'001)})), 413, "payload_too_large");
  check_served(server);
}

TEST_CASE("a head or a body that does not arrive in time is answered 408") {
  server_limits limits;
  limits.header_timeout = 150ms;
  limits.request_timeout = 300ms;
  running server(ping, limits);
  const auto whole = wire::post("/echo", "hello");
  SUBCASE("a head") {
    wire::client c(server.port());
    c.send("GET /ping HTTP/1.1\r\nHo");
    check_refused(c.read(), 408, "request_timeout");
    CHECK(c.ends());
  }
  SUBCASE("a head whose bytes keep coming") {
    wire::client c(server.port());
    std::optional<wire::reply> answer;
    for (int i = 0; i < 40; ++i) {
      c.send(i == 0 ? "GET /ping HTTP/1.1\r\nX: " : "x");
      std::this_thread::sleep_for(20ms);
    }
    check_refused(c.read(), 408, "request_timeout");
  }
  SUBCASE("a body by length") {
    wire::client c(server.port());
    c.send(whole.substr(0, whole.size() - 1));
    check_refused(c.read(), 408, "request_timeout");
    CHECK(c.ends());
  }
  SUBCASE("a chunked body") {
    wire::client c(server.port());
    const auto text = wire::chunked("/echo", {"hello"});
    c.send(text.substr(0, text.size() - 2));
    check_refused(c.read(), 408, "request_timeout");
  }
  SUBCASE("the second request of a connection") {
    wire::client c(server.port());
    c.send(wire::get("/ping") + "GET /pi");
    CHECK(c.read().value().body == "pong");
    check_refused(c.read(), 408, "request_timeout");
  }
  check_served(server);
}

TEST_CASE("a connection that says nothing is closed without a word") {
  server_limits limits;
  limits.header_timeout = 150ms;
  limits.keep_alive_timeout = 150ms;
  running server(ping, limits);
  CHECK(wire::client(server.port()).ends());
  wire::client c(server.port());
  CHECK(c.ask(wire::get("/ping")).value().body == "pong");
  CHECK(c.ends());
}

TEST_CASE("a connection is kept alive from its last answer on, however long that took") {
  server_limits limits;
  limits.keep_alive_timeout = 300ms;
  patience seen;
  running server(
      [&](corbel::route_group routes) {
        ping(routes);
        routes.get("/wait/:ms", &nap);
      },
      limits, 1, 5000ms, [&](corbel::services& all) { all.provide(seen); });
  wire::client c(server.port());
  CHECK(c.ask(wire::get("/wait/600")).value().body == "slept");
  std::this_thread::sleep_for(120ms);  // longer than a tick of the wheel
  CHECK(c.ask(wire::get("/ping")).value().body == "pong");
}

TEST_CASE("a connection ends behind its last allowed request") {
  server_limits limits;
  limits.requests_per_connection = 3;
  running server(ping, limits);
  wire::client c(server.port());
  c.send(wire::get("/ping") + wire::post("/echo", "12") + wire::get("/ping") + wire::get("/ping"));
  CHECK_FALSE(c.read().value().header("Connection"));
  CHECK_FALSE(c.read().value().header("Connection"));
  CHECK(c.read().value().header("Connection") == "close");
  CHECK(c.ends());
}

TEST_CASE("a handler over its time is cancelled, and its client told 503") {
  server_limits limits;
  limits.handler_timeout = 200ms;
  patience seen;
  const auto log = std::make_shared<corbel::captured_log>();
  running server(
      [&](corbel::route_group routes) {
        ping(routes);
        routes.use(corbel::request_id{}).use(corbel::access_log{});
        routes.get("/wait/:ms", &nap);
        routes.get("/patient/:ms", &nap).time_limit(60s);
        routes.get("/hasty/:ms", &nap).time_limit(100ms);
      },
      limits, 1, 5000ms, [&](corbel::services& all) { all.provide(seen); }, corbel::logger(log));
  SUBCASE("the server's limit") {
    wire::client c(server.port());
    c.send(wire::get("/wait/60000", "X-Request-Id: mine\r\n") + wire::get("/ping"));
    const auto answer = c.read();
    check_refused(answer, 503, "handler_timeout");
    CHECK(answer->header("X-Request-Id") == "mine");
    CHECK(c.ends());
    CHECK(eventually([&] { return seen.cancelled == 1 && seen.ended == 1; }));
    // What the log says of it is said once, of this request, and not absurd.
    CHECK(log->lines().size() == 1);
    for (const auto& line : log->lines()) {
      CAPTURE(line);
      CHECK(line.find("\"requestId\":\"mine\"") != line.npos);
      CHECK(line.find("\"client\":\"127.0.0.1\"") != line.npos);
      const auto at = line.find("\"durationMs\":");
      CHECK(line.find_first_of(",.}", at) - at < 13 + 6);
    }
  }
  SUBCASE("an id of our own stays that of the request") {
    wire::client c(server.port());
    const auto answer = c.ask(wire::get("/wait/60000"));
    check_refused(answer, 503, "handler_timeout");
    CHECK(eventually([&] { return seen.ended == 1; }));
    CHECK(log->lines().size() == 1);
    for (const auto& line : log->lines()) CHECK(line.find(*answer->header("X-Request-Id")) != line.npos);
  }
  SUBCASE("a route's limit") {
    CHECK(wire::client(server.port()).ask(wire::get("/patient/400")).value().body == "slept");
    check_refused(wire::client(server.port()).ask(wire::get("/hasty/60000")), 503, "handler_timeout");
  }
  check_served(server);
}

TEST_CASE("a client that vanishes cancels its handler") {
  patience seen;
  running server(
      [&](corbel::route_group routes) {
        ping(routes);
        routes.get("/wait/:ms", &nap);
        routes.post("/wait/:ms", &nap);
      },
      {}, 2, 5000ms, [&](corbel::services& all) { all.provide(seen); });
  constexpr int clients = 40;
  for (int i = 0; i < clients; ++i) {
    wire::client c(server.port());
    if (i % 2)
      c.send(wire::get("/wait/60000") + wire::get("/ping"));
    else
      c.send(wire::chunked("/wait/60000", {std::string(100'000, 'x')}));
    CHECK(eventually([&] { return seen.started == i + 1; }));
    c.reset();
  }
  CHECK(eventually([&] { return seen.cancelled == clients && seen.ended == clients; }));
  CHECK(eventually([&] { return server.server().connections() == 0; }));
  check_served(server);
}

TEST_CASE("one client too many is told so") {
  server_limits limits;
  limits.connections = 3;
  running server(ping, limits, 2);
  {
    std::vector<std::unique_ptr<wire::client>> held;
    for (int i = 0; i < 3; ++i) {
      held.push_back(std::make_unique<wire::client>(server.port()));
      CHECK(held.back()->ask(wire::get("/ping")).value().body == "pong");
    }
    for (int i = 0; i < 20; ++i) {
      wire::client late(server.port());
      if (i % 2) late.send(wire::get("/ping"));
      const auto answer = late.read();
      check_refused(answer, 503, "too_many_connections");
      CHECK(answer->header("Retry-After") == "1");
    }
    for (auto& each : held) CHECK(each->ask(wire::get("/ping")).value().body == "pong");
  }
  CHECK(eventually([&] { return server.server().connections() == 0; }));
  check_served(server);
}
