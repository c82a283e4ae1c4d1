#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string>
#include <thread>

#include "corbel/observe/log_sink.hpp"
#include "corbel/routing/body_stream.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using corbel::body_sink;
using corbel::request;
using corbel::response;
using corbel::task;

struct ledger {
  std::atomic<std::size_t> written{0};
  std::atomic<int> ended{0};  ///< producers that are gone, whichever way
};

struct at_end {
  ledger* seen;
  ~at_end() { ++seen->ended; }
};

task<> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

response streamed(corbel::body_producer produce, std::optional<std::uint64_t> length = {},
                  bool endless = false) {
  response out;
  out.stream("text/plain", {std::move(produce), length, endless});
  return out;
}

/// "0123..." in pieces of a size that the query names, from a handler that does not wait itself.
response counting(const request& in) {
  const std::size_t pieces = in.query() == "many" ? 1000 : 3;
  return streamed([pieces, text = std::string(in.query())](body_sink& to) -> task<> {
    for (std::size_t i = 0; i < pieces; ++i) co_await to.write(std::to_string(i) + ',');
  });
}

std::string counted(std::size_t pieces) {
  std::string all;
  for (std::size_t i = 0; i < pieces; ++i) all += std::to_string(i) + ',';
  return all;
}

task<response> slowly(corbel::state<ledger> seen) {
  co_await pause(std::chrono::milliseconds(1));
  co_return streamed([seen](body_sink& to) -> task<> {
    const at_end end{&*seen};
    for (int i = 0; i < 3; ++i) {
      co_await to.write(std::to_string(i) + ',');
      co_await pause(std::chrono::milliseconds(20));
    }
  });
}

response flood(corbel::state<ledger> seen) {
  return streamed([seen](body_sink& to) -> task<> {
    const at_end end{&*seen};
    const std::string piece(16 * 1024, 'f');
    for (int i = 0; i < 4096; ++i) {
      co_await to.write(piece);
      seen->written += piece.size();
    }
  });
}

response gigabyte(corbel::state<ledger> seen) {
  return streamed([seen](body_sink& to) -> task<> {
    const std::string piece(64 * 1024, 'g');
    for (int i = 0; i < 16384; ++i) {
      co_await to.write(piece);
      seen->written += piece.size();
    }
  });
}

response endless(corbel::state<ledger> seen) {
  return streamed(
      [seen](body_sink& to) -> task<> {
        const at_end end{&*seen};
        for (;;) {
          co_await to.write("tick\n");
          ++seen->written;
          co_await pause(std::chrono::milliseconds(5));
        }
      },
      {}, true);
}

response announced(const request& in) {
  const std::uint64_t length = in.query() == "right" ? 10 : in.query() == "short" ? 11 : 9;
  return streamed(
      [](body_sink& to) -> task<> {
        co_await to.write("01234");
        co_await to.write("");
        co_await to.write("56789");
      },
      length);
}

response broken() {
  return streamed([](body_sink& to) -> task<> {
    co_await to.write("so far so good");
    co_await pause(std::chrono::milliseconds(10));
    throw std::runtime_error("the disk is gone");
  });
}

/// What is read is written: both directions at once.
task<response> echo(request& in) {
  co_return streamed([&in](body_sink& to) -> task<> {
    corbel::body_stream body(in);
    for (auto piece = co_await body.read(); !piece.empty(); piece = co_await body.read())
      co_await to.write(std::string(piece));
  });
}

struct service {
  explicit service(corbel::server_limits limits = {}, corbel::logger log = {})
      : server(
            [](corbel::route_group routes) {
              routes.get("/counting", &counting);
              routes.get("/slowly", &slowly);
              routes.get("/flood", &flood);
              routes.get("/endless", &endless);
              routes.get("/gigabyte", &gigabyte);
              routes.get("/announced", &announced);
              routes.get("/broken", &broken);
              routes.get("/hello", [] { return std::string("hello"); });
              routes.get("/none", [] {
                auto out = streamed([](body_sink& to) -> task<> { co_await to.write("never"); });
                out.status(corbel::status::no_content);
                return out;
              });
            },
            limits, 1, std::chrono::seconds(5), [this](corbel::services& all) { all.provide(seen); },
            std::move(log)) {}

  ledger seen;
  running server;
};

std::string old_get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.0\r\nHost: t\r\n\r\n";
}

}  // namespace

TEST_CASE("a streamed response is chunked, and the connection goes on behind it") {
  service s;
  wire::client c(s.server.port());
  for (int round = 0; round < 2; ++round) {
    const auto reply = c.ask(wire::get("/counting")).value();
    CHECK(reply.code == 200);
    CHECK(reply.header("Transfer-Encoding") == "chunked");
    CHECK(reply.header("Content-Type") == "text/plain");
    CHECK(reply.body == counted(3));
    CHECK(c.ask(wire::get("/counting?many")).value().body == counted(1000));
    CHECK(c.ask(wire::get("/slowly")).value().body == counted(3));
    CHECK(c.ask(wire::get("/hello")).value().body == "hello");
    CHECK(c.ask(wire::get("/none")).value().code == 204);
  }
}

TEST_CASE("pipelined answers keep their order around a streamed one") {
  service s;
  const auto all = wire::get("/hello") + wire::get("/slowly") + wire::get("/hello") +
                   wire::get("/counting?many") + wire::get("/announced?right") + wire::get("/hello");
  for (std::size_t cut = 0; cut < all.size(); cut += 11) {
    CAPTURE(cut);
    wire::client c(s.server.port());
    c.send(std::string_view(all).substr(0, cut));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    c.send(std::string_view(all).substr(cut));
    for (const auto& expected : {std::string("hello"), counted(3), std::string("hello"), counted(1000),
                                 std::string("0123456789"), std::string("hello")})
      REQUIRE(c.read().value().body == expected);
  }
}

TEST_CASE("HEAD has the fields of a streamed response and none of its body") {
  service s;
  wire::client c(s.server.port());
  const auto reply = c.ask("HEAD /slowly HTTP/1.1\r\nHost: t\r\n\r\n", true).value();
  CHECK(reply.header("Transfer-Encoding") == "chunked");
  CHECK(c.ask("HEAD /announced?right HTTP/1.1\r\nHost: t\r\n\r\n", true).value().header("Content-Length") ==
        "10");
  CHECK(c.ask(wire::get("/hello")).value().body == "hello");
  CHECK(s.seen.ended == 0);
}

TEST_CASE("a client of HTTP/1.0 gets the body until the connection closes") {
  service s;
  wire::client c(s.server.port());
  c.send(old_get("/slowly"));
  const auto text = c.drain();
  CHECK(text.find("Transfer-Encoding") == text.npos);
  CHECK(text.find("Connection: close\r\n") != text.npos);
  CHECK(text.substr(text.find("\r\n\r\n") + 4) == counted(3));
}

TEST_CASE("an announced length is kept, or the connection says that it was not") {
  service s;
  wire::client c(s.server.port());
  const auto right = c.ask(wire::get("/announced?right")).value();
  CHECK(right.header("Content-Length") == "10");
  CHECK(right.body == "0123456789");
  CHECK(c.ask(wire::get("/hello")).value().body == "hello");
  for (const auto* wrong : {"/announced?short", "/announced?long"}) {
    wire::client other(s.server.port());
    other.send(wire::get(wrong) + wire::get("/hello"));
    const auto text = other.drain();
    const auto body = text.find("\r\n\r\n") + 4;
    CHECK(text.substr(body).size() < (std::string_view(wrong) == "/announced?short" ? 11u : 10u));
  }
}

TEST_CASE("a producer that fails cuts the response where everybody can see it, and the log says why") {
  const auto log = std::make_shared<corbel::captured_log>();
  service s({}, corbel::logger(log));
  for (const bool old : {false, true}) {
    wire::client c(s.server.port());
    c.send(old ? old_get("/broken") : wire::get("/broken") + wire::get("/hello"));
    std::string text;
    char piece[4096];
    ssize_t n = 0;
    while ((n = ::recv(c.fd(), piece, sizeof piece, 0)) > 0) text.append(piece, static_cast<std::size_t>(n));
    CHECK(n < 0);  // a reset: an orderly end would pass for the body's end
    CHECK(errno == ECONNRESET);
    CHECK(text.find("0\r\n\r\n") == text.npos);
    CHECK(text.find("disk") == text.npos);
  }
  CHECK(eventually([&] { return log->contains("the disk is gone"); }));
}

TEST_CASE("a client that does not read holds the producer back, and is dropped on time") {
  corbel::server_limits limits;
  limits.write_timeout = std::chrono::milliseconds(500);
  service s(limits);
  wire::client::options small;
  small.receive_buffer = 4096;
  wire::client c(s.server.port(), small);
  c.send(wire::get("/flood"));
  CHECK(eventually([&] { return s.seen.ended == 1; }));
  CHECK(s.seen.written < 16u * 1024 * 1024);  // of 64 MiB: the kernel's buffers and ours
  CHECK(eventually([&] { return s.server.server().connections() == 0; }));
}

TEST_CASE("a large stream arrives whole") {
  service s;
  wire::client c(s.server.port());
  c.send(wire::get("/flood", "Connection: close\r\n"));
  const auto replies = wire::split(c.drain());
  REQUIRE(replies.size() == 1);
  CHECK(replies.front().body == std::string(64u * 1024 * 1024, 'f'));
}

TEST_CASE("a client that vanishes ends the producer") {
  service s;
  for (int how = 0; how < 2; ++how) {
    {
      wire::client c(s.server.port());
      c.send(wire::get("/endless"));
      const auto before = s.seen.written.load();
      CHECK(eventually([&] { return s.seen.written > before + 2; }));
      if (how == 0) c.reset();
    }
    CHECK(eventually([&] { return s.seen.ended == how + 1; }));
  }
  CHECK(eventually([&] { return s.server.server().connections() == 0; }));
}

TEST_CASE("a drain ends endless streams politely and waits for the others") {
  service s;
  wire::client forever(s.server.port());
  forever.send(wire::get("/endless"));
  wire::client finite(s.server.port());
  finite.send(wire::get("/slowly"));
  CHECK(eventually([&] { return s.seen.written > 2; }));
  auto over = s.server.begin_drain();
  const auto text = forever.drain();
  CHECK(text.substr(text.size() - 5) == "0\r\n\r\n");
  CHECK(finite.read().value().body == counted(3));
  CHECK(over.wait_for(std::chrono::seconds(4)) == std::future_status::ready);
  CHECK(s.seen.ended == 2);
}

TEST_CASE("a handler may write while it reads") {
  running server([](corbel::route_group routes) {
    routes.post("/echo", [](corbel::body_stream, request& in) -> task<response> { return echo(in); })
        .body_limit(64 * 1024 * 1024);
    routes.get("/hello", [] { return std::string("hello"); });
  });
  wire::client c(server.port());
  c.send("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    const std::string piece(static_cast<std::size_t>(i * 997 + 1), static_cast<char>('a' + i));
    expected += piece;
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, piece.size(), 16).ptr;
    c.send(std::string(size, end) + "\r\n" + piece + "\r\n");
  }
  c.send("0\r\n\r\n");
  CHECK(c.read().value().body == expected);
  CHECK(c.ask(wire::get("/hello")).value().body == "hello");
}

TEST_CASE("a stream to a fast client leaves others their turn") {
  service s;
  wire::client greedy(s.server.port());
  greedy.send(wire::get("/gigabyte", "Connection: close\r\n"));
  std::atomic<bool> over{false};
  std::thread reader([&] {
    std::string piece(1 << 20, '\0');
    while (::recv(greedy.fd(), piece.data(), piece.size(), 0) > 0) {
    }
    over = true;
  });
  CHECK(eventually([&] { return s.seen.written > 0; }));
  wire::client other(s.server.port());
  CHECK(other.ask(wire::get("/hello")).value().body == "hello");
  CHECK_FALSE(over);
  ::shutdown(greedy.fd(), SHUT_RDWR);
  reader.join();
}
