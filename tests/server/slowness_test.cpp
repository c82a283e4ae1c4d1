#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>

#include "corbel/routing/body_stream.hpp"
#include "server/eventually.hpp"
#include "server/pace.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

using namespace std::chrono_literals;
using corbel::pace;
using corbel::request;
using corbel::server_limits;
using corbel::task;

std::string length(const request& in) {
  return std::to_string(in.body().size());
}

/// Reads the body while it arrives.
task<std::string> upload(corbel::body_stream in) {
  std::size_t size = 0;
  for (auto piece = co_await in.read(); !piece.empty(); piece = co_await in.read()) size += piece.size();
  co_return std::to_string(size);
}

void wire_up(corbel::route_group routes) {
  routes.get("/ping", [] { return std::string("pong"); });
  routes.get("/large", [] { return std::string(8 * 1024 * 1024, 'x'); });
  routes.get("/stream", [] {
    corbel::response out;
    out.stream("application/octet-stream", {[](corbel::body_sink& to) -> task<> {
                                              const std::string piece(64 * 1024, 'x');
                                              for (;;) co_await to.write(piece);
                                            },
                                            {},
                                            false});
    return out;
  });
  routes.post("/length", &length);
  routes.post("/upload", &upload);
}

/// Limits that are met within a test's patience; `patience` is how far a client may fall behind.
server_limits hasty(std::chrono::milliseconds patience) {
  server_limits limits;
  limits.header_timeout = limits.request_timeout = limits.keep_alive_timeout = limits.write_timeout =
      patience;
  limits.min_rate = 10'000;
  return limits;
}

/// Takes a few bytes at a time until told otherwise.
void trickle_in(wire::client& c, const std::atomic<bool>& enough) {
  char few[512];
  while (!enough && ::recv(c.fd(), few, sizeof few, 0) > 0) std::this_thread::sleep_for(20ms);
}

}  // namespace

TEST_CASE("a pace is kept by whoever is quick enough, and lost by whoever trickles") {
  pace::clock::time_point now{1h};
  const auto lasts = [&](std::size_t bytes, std::chrono::milliseconds each, std::size_t rate) {
    pace p;
    auto at = now;
    p.begin(at, 30s);
    while (at < now + 1h) {
      at += each;
      if (at > p.due()) return std::chrono::duration_cast<std::chrono::seconds>(p.due() - now);
      p.moved(bytes, rate, at, 30s);
    }
    return std::chrono::seconds(3600);
  };
  CHECK(lasts(1, 29s, 240) == 30s);
  CHECK(lasts(1, 100ms, 240) == 31s);
  CHECK(lasts(12, 100ms, 240) >= 58s);  // half the rate
  CHECK(lasts(12, 100ms, 240) <= 60s);
  CHECK(lasts(25, 100ms, 240) == 3600s);
  CHECK(lasts(7000, 29s, 240) == 3600s);
  CHECK(lasts(1'000'000'000, 31s, 240) == 30s);  // no credit beyond the patience
  CHECK(lasts(1, 29s, 0) == 3600s);
  CHECK(lasts(1, 31s, 0) == 30s);
  CHECK(lasts(std::size_t(-1), 29s, 240) == 3600s);
}

TEST_CASE("a streamed body that trickles in is not waited for") {
  running server(wire_up, hasty(400ms));
  wire::client c(server.port());
  c.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n");
  std::optional<wire::reply> answer;
  const auto from = std::chrono::steady_clock::now();
  std::thread trickle([&] {
    for (int i = 0; i < 200 && c.send("x"); ++i) std::this_thread::sleep_for(20ms);
  });
  answer = c.read();
  const auto took = std::chrono::steady_clock::now() - from;
  c.half_close();
  trickle.join();
  REQUIRE(answer);
  CHECK(answer->code == 408);
  CHECK(took >= 350ms);
  CHECK(took < 3s);
  // One that is quick enough may take far longer than the patience.
  wire::client quick(server.port());
  quick.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n");
  for (int i = 0; i < 50; ++i) {
    quick.send(std::string(2000, 'x'));
    std::this_thread::sleep_for(20ms);
  }
  CHECK(quick.read().value().body == "100000");
}

TEST_CASE("an answer that is trickled out is cut off, produced at once or as it is sent") {
  running server(wire_up, hasty(500ms));
  for (const char* path : {"/large", "/stream"}) {
    CAPTURE(path);
    wire::client c(server.port(), {4096});
    c.send(wire::get(path));
    CHECK(eventually([&] { return server.server().connections() == 1; }));
    std::atomic<bool> enough{false};
    std::thread reader([&] { trickle_in(c, enough); });
    CHECK(eventually([&] { return server.server().connections() == 0; }));
    enough = true;
    reader.join();
  }
  CHECK(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
}

TEST_CASE("floods of clients that begin and do not go on are gone in time, and nobody else is") {
  running server(wire_up, hasty(500ms), 2);
  constexpr int each = 200;
  std::vector<std::unique_ptr<wire::client>> flood;
  for (int i = 0; i < each; ++i) {
    flood.push_back(std::make_unique<wire::client>(server.port()));  // silent
    flood.push_back(std::make_unique<wire::client>(server.port()));
    flood.back()->send("GET /ping HT");
    flood.push_back(std::make_unique<wire::client>(server.port()));
    flood.back()->send("POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: 500\r\n\r\nfirst");
    wire::client gone(server.port());
    gone.send("POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 500\r\n\r\nfirst");
    gone.reset();
    if (i % 20 == 0) CHECK(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
  }
  CHECK(eventually([&] { return server.server().connections() == 0; }));
  for (std::size_t i = 0; i < flood.size(); ++i) {
    if (i % 3 == 0)
      CHECK(flood[i]->ends());
    else
      CHECK(flood[i]->read().value().code == 408);
  }
}

TEST_CASE("bodies hold no more memory than they may, and what comes above is told so") {
  server_limits limits;
  limits.body_bytes = 1024 * 1024;
  limits.buffered_bytes = 4 * 1024 * 1024;
  running server(wire_up, limits, 2);
  const std::string most(900'000, 'x');
  const auto head = "POST /length HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n" + most;
  std::vector<std::unique_ptr<wire::client>> held;
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    auto c = std::make_unique<wire::client>(server.port());
    c->send(head);
    // What is refused is refused at once; what is not waits for its rest.
    const timeval soon{0, 200'000};
    ::setsockopt(c->fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    char first = 0;
    if (::recv(c->fd(), &first, 1, MSG_PEEK) == 1) {
      const auto answer = c->read();
      CHECK(answer.value().code == 503);
      CHECK(answer->error_code() == "overloaded");
      CHECK(answer->header("Retry-After"));
      ++refused;
    } else {
      held.push_back(std::move(c));
    }
  }
  CHECK(refused >= 20 - 5);
  CHECK(held.size() >= 2);
  // Those who were let in are served, and then there is room again.
  for (auto& each : held) {
    each->send(std::string(100'000, 'x'));
    const timeval patience{10, 0};
    ::setsockopt(each->fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK(each->read().value().body == "1000000");
  }
  CHECK(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
  CHECK(wire::client(server.port()).ask(wire::post("/length", std::string(800'000, 'x'))).value().body ==
        "800000");
}
