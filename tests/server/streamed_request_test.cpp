#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

#include "corbel/routing/body_stream.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using corbel::body_stream;
using corbel::request;
using corbel::task;

/// What the handlers below tell the tests.
struct ledger {
  std::atomic<std::size_t> taken{0};
  std::atomic<bool> go{false};
  std::atomic<int> gone{0};
  std::atomic<int> failed{0};
};

task<> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

/// Counts what it was given; remembers how the reading ended when it did not end well.
task<std::string> count(body_stream body, corbel::state<ledger> seen) {
  std::size_t sum = 0;
  try {
    for (auto piece = co_await body.read(); !piece.empty(); piece = co_await body.read()) {
      for (const char c : piece) sum = sum * 31 + static_cast<unsigned char>(c);
      seen->taken += piece.size();
    }
  } catch (const corbel::failure& f) {
    ++(corbel::is_client_gone(f.error()) ? seen->gone : seen->failed);
    throw;
  } catch (...) {
    ++seen->gone;  // cancelled
    throw;
  }
  co_return std::to_string(sum);
}

task<std::string> count_when_told(body_stream body, corbel::state<ledger> seen) {
  while (!seen->go) co_await pause(std::chrono::milliseconds(5));
  co_return std::to_string((co_await body.read_all()).size());
}

task<std::string> ignore(body_stream) {
  co_return "not interested";
}

task<std::string> first_piece_only(body_stream body) {
  co_return std::string(co_await body.read());
}

struct service {
  explicit service(corbel::server_limits limits = {})
      : server(
            [](corbel::route_group routes) {
              routes.post("/count", &count).body_limit(64 * 1024 * 1024);
              routes.post("/small", &count).body_limit(1000);
              routes.post("/later", &count_when_told).body_limit(64 * 1024 * 1024);
              routes.post("/ignore", &ignore).body_limit(64 * 1024 * 1024);
              routes.post("/first", &first_piece_only);
              routes.get("/hello", [] { return std::string("hello"); });
            },
            limits, 1, std::chrono::seconds(5), [this](corbel::services& all) { all.provide(seen); }) {}

  ledger seen;
  running server;
};

std::string sum_of(std::string_view text) {
  std::size_t sum = 0;
  for (const char c : text) sum = sum * 31 + static_cast<unsigned char>(c);
  return std::to_string(sum);
}

std::string pattern(std::size_t size) {
  std::string made(size, '\0');
  for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<char>(i * 2654435761u >> 13);
  return made;
}

}  // namespace

TEST_CASE("a handler reads a body of any framing while it arrives, and the connection goes on") {
  service s;
  wire::client c(s.server.port());
  const auto big = pattern(5'000'000);
  CHECK(c.ask(wire::post("/count", big)).value().body == sum_of(big));
  CHECK(c.ask(wire::chunked("/count", {"ab", big, "c"})).value().body == sum_of("ab" + big + "c"));
  CHECK(c.ask(wire::post("/count", "small")).value().body == sum_of("small"));
  CHECK(c.ask(wire::post("/count", "")).value().body == "0");
  CHECK(c.ask(wire::get("/hello")).value().body == "hello");
}

TEST_CASE("a streamed body may be cut anywhere, with other requests behind it") {
  service s;
  const auto text = wire::chunked("/count", {"first ", "piece"}) + wire::post("/count", "second") +
                    wire::get("/hello") + wire::chunked("/ignore", {"x"}) + wire::get("/hello");
  for (std::size_t cut = 1; cut < text.size(); cut += 3) {
    CAPTURE(cut);
    wire::client c(s.server.port());
    c.send(std::string_view(text).substr(0, cut));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    c.send(std::string_view(text).substr(cut));
    REQUIRE(c.read().value().body == sum_of("first piece"));
    REQUIRE(c.read().value().body == sum_of("second"));
    REQUIRE(c.read().value().body == "hello");
    const auto ignored = c.read().value();
    REQUIRE(ignored.body == "not interested");
    // What the handler left unread is skipped when it had arrived; otherwise the connection ends here.
    if (!ignored.header("Connection")) REQUIRE(c.read().value().body == "hello");
  }
}

TEST_CASE("a handler that does not read holds its client back") {
  service s;
  wire::client c(s.server.port());
  const std::size_t size = 32 * 1024 * 1024;
  c.send("POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  const std::string piece(64 * 1024, 'p');
  std::size_t sent = 0;
  // What goes into the two sockets' buffers and the server's goes; then the client feels it.
  for (;;) {
    const auto n = ::send(c.fd(), piece.data(), std::min(piece.size(), size - sent), MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
      REQUIRE(sent < size);
      continue;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto again = ::send(c.fd(), piece.data(), 1, MSG_DONTWAIT);
    if (again <= 0) break;
    sent += 1;
  }
  s.seen.go = true;
  while (sent < size) {
    const auto n = std::min(piece.size(), size - sent);
    REQUIRE(c.send(std::string_view(piece).substr(0, n)));
    sent += n;
  }
  CHECK(c.read().value().body == std::to_string(size));
}

TEST_CASE("a streamed body over the route's limit is refused where it passes it") {
  service s;
  {
    wire::client c(s.server.port());
    const auto reply = c.ask("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n").value();
    CHECK(reply.code == 413);
    CHECK(reply.error_code() == "payload_too_large");
  }
  wire::client c(s.server.port());
  const auto reply = c.ask(wire::chunked("/small", {std::string(600, 'a'), std::string(600, 'b')})).value();
  CHECK(reply.code == 413);
  CHECK(reply.header("Connection") == "close");
  CHECK(c.ends());
  CHECK(s.seen.failed == 1);
}

TEST_CASE("broken framing inside a streamed body reaches the handler and the client") {
  service s;
  wire::client c(s.server.port());
  const auto reply =
      c.ask("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n");
  CHECK(reply.value().code == 400);
  CHECK(reply.value().error_code() == "malformed_framing");
  CHECK(c.ends());
  CHECK(s.seen.taken == 3);
  CHECK(s.seen.failed == 1);
}

TEST_CASE("a client that asks before it sends is told to when the handler reads") {
  service s;
  const std::string head =
      "POST /later HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  wire::client c(s.server.port());
  c.send(head);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  char byte = 0;
  CHECK(::recv(c.fd(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0);  // not asked for yet
  s.seen.go = true;
  REQUIRE(::recv(c.fd(), &byte, 1, MSG_PEEK) == 1);
  CHECK(c.ask("four").value().body == "4");
  CHECK(c.interim == 1);
  // A handler that answers without reading never asks, and the connection ends: four bytes may still come.
  wire::client other(s.server.port());
  const auto reply =
      other.ask("POST /ignore HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(reply.value().body == "not interested");
  CHECK(reply.value().header("Connection") == "close");
  CHECK(other.interim == 0);
}

TEST_CASE("an answer that comes before the whole body reaches a client that still sends") {
  service s;
  wire::client c(s.server.port());
  c.send("POST /first HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\nfirst");
  const auto reply = c.read().value();
  CHECK(reply.body == "first");
  CHECK(reply.header("Connection") == "close");
  c.send(std::string(100'000, 'x'));
  CHECK(c.ends());
}

TEST_CASE("a client that vanishes inside its body ends the handler") {
  service s;
  for (int how = 0; how < 2; ++how) {
    wire::client c(s.server.port());
    c.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nsome");
    CHECK(eventually([&] { return s.seen.taken == 4u * static_cast<unsigned>(how + 1); }));
    if (how == 0)
      c.reset();
    else
      c.half_close();
    CHECK(eventually([&] { return s.seen.gone == how + 1; }));
  }
  CHECK(eventually([&] { return s.server.server().connections() == 0; }));
}

TEST_CASE("a client that stops inside its body is refused on time, by the handler's own error") {
  corbel::server_limits limits;
  limits.request_timeout = std::chrono::milliseconds(300);
  service s(limits);
  wire::client c(s.server.port());
  const auto reply = c.ask("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nsome").value();
  CHECK(reply.code == 408);
  CHECK(reply.header("Connection") == "close");
  CHECK(s.seen.failed == 1);
}

TEST_CASE("a handler's time runs from the last piece it was given, not from the upload's first") {
  corbel::server_limits limits;
  limits.handler_timeout = std::chrono::milliseconds(400);
  limits.request_timeout = std::chrono::milliseconds(400);
  limits.min_rate = 4;  // what comes below is slower than what is usually taken
  service s(limits);
  wire::client c(s.server.port());
  c.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\n");
  for (int i = 0; i < 8; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    c.send("x");
  }
  CHECK(c.read().value().code == 200);
  // A handler that reads nothing is cut off as any other.
  CHECK(c.ask("POST /later HTTP/1.1\r\nHost: t\r\nContent-Length: 8\r\n\r\n").value().code == 503);
}
