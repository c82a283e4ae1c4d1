#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "load/plan.hpp"
#include "server/running.hpp"

using namespace std::chrono_literals;

namespace {

/// A server that says what it is told to: one connection at a time, one thread. `answer` gets the number of
/// the request since the start and returns the bytes to send; empty ends the connection without a word.
class told_server {
 public:
  explicit told_server(std::function<std::string(int)> answer) : answer_(std::move(answer)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::listen(fd_, 64) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~told_server() {
    over_ = true;
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port = 0;

 private:
  bool readable(int fd) const {
    pollfd p{fd, POLLIN, 0};
    while (!over_)
      if (::poll(&p, 1, 20) > 0) return true;
    return false;
  }
  void serve() {
    int n = 0;
    while (readable(fd_)) {
      const int c = ::accept(fd_, nullptr, nullptr);
      std::string in;
      for (bool open = true; open && readable(c);) {
        char piece[4096];
        const auto got = ::recv(c, piece, sizeof piece, 0);
        if (got <= 0) break;
        in.append(piece, static_cast<std::size_t>(got));
        for (std::size_t end; open && (end = in.find("\r\n\r\n")) != in.npos; in.erase(0, end + 4)) {
          const auto out = answer_(n++);
          open = !out.empty() && ::send(c, out.data(), out.size(), MSG_NOSIGNAL) > 0 &&
                 out.find("close") == out.npos;
        }
      }
      ::close(c);
    }
  }

  std::function<std::string(int)> answer_;
  int fd_ = -1;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

std::string ok(const std::string& more = {}) {
  return "HTTP/1.1 200 OK\r\n" + more + "Content-Length: 2\r\n\r\nok";
}

load::plan at(std::uint16_t port) {
  load::plan p;
  p.port = port;
  p.connections = 1;
  p.warm_up = 20ms;
  p.duration = 150ms;
  p.patience = 2s;
  p.length = 2;
  return p;
}

void nothing_is_lost(const load::outcome& o) {
  CHECK(o.all.due == o.all.answered + o.all.errors());
}

/// One loop whose handler holds everything up for 200 ms, once, 300 ms after the first request.
struct stalling {
  std::atomic<std::int64_t> first{0};
  std::atomic<bool> stalled{false};
  running server{[this](corbel::route_group root) {
                   root.get("/", [this]() -> std::string {
                     const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
                     std::int64_t unset = 0;
                     if (!first.compare_exchange_strong(unset, now) && now - unset > 300'000'000 &&
                         !stalled.exchange(true))
                       std::this_thread::sleep_for(200ms);
                     return "ok";
                   });
                 },
                 [] {
                   corbel::server_limits limits;
                   limits.requests_per_connection = 1'000'000;
                   return limits;
                 }()};
};

}  // namespace

TEST_CASE("An open loop sees a stall of 200 ms at its true share, a closed loop hardly at all") {
  {
    stalling it;
    auto p = at(it.server.port());
    p.connections = 16;
    p.rate = 1000;
    p.duration = 2s;
    const auto o = load::run(p);
    nothing_is_lost(o);
    CHECK(o.all.errors() == 0);
    REQUIRE(it.stalled);
    // Due within the stall are 10 % of all, and they wait 0 to 200 ms, each as likely as another.
    CHECK(o.latency.quantile(0.995) >= 180ms);
    CHECK(o.latency.quantile(0.99) >= 170ms);
    CHECK(o.latency.quantile(0.95) >= 90ms);
    CHECK(o.latency.quantile(0.91) >= 10ms);
    CHECK(o.latency.count() == 2000);
  }
  {
    stalling it;
    auto p = at(it.server.port());
    p.connections = 4;
    p.duration = 2s;
    const auto o = load::run(p);
    nothing_is_lost(o);
    CHECK(o.all.errors() == 0);
    REQUIRE(it.stalled);
    CHECK(o.latency.max() >= 190ms);
    // Four requests saw it; that is why nobody should read a closed loop's quantiles.
    CHECK(o.latency.quantile(0.99) < 90ms);
  }
}

TEST_CASE("Random times keep the rate, too, and are the same for the same seed") {
  running server([](corbel::route_group root) { root.get("/", [] { return std::string("ok"); }); });
  const auto due = [&](std::uint64_t seed) {
    auto p = at(server.port());
    p.connections = 8;
    p.rate = 1000;
    p.duration = 480ms;
    p.seed = seed;
    const auto o = load::run(p);
    nothing_is_lost(o);
    CHECK(o.all.errors() == 0);
    return o.all.due - p.connections;
  };
  const auto first = due(1);
  CHECK(first > 380);  // 500 are expected, 22 more or less
  CHECK(first < 620);
  CHECK(due(1) == first);
  CHECK((due(2) != first || due(3) != first || due(4) != first));
}

TEST_CASE("A constant rate is kept, whatever the number of connections") {
  running server([](corbel::route_group root) { root.get("/", [] { return std::string("ok"); }); });
  for (const std::size_t connections : {std::size_t{1}, std::size_t{7}, std::size_t{50}}) {
    CAPTURE(connections);
    auto p = at(server.port());
    p.connections = connections;
    p.rate = 2000;
    const auto o = load::run(p);
    nothing_is_lost(o);
    CHECK(o.all.errors() == 0);
    // 20 ms of warm-up, 150 ms measured, and each connection's first question.
    CHECK(o.all.due == 340 + connections);
    CHECK(o.latency.count() == 300);
  }
}

TEST_CASE("A server that ends its connections, and says so, loses no request and makes no error") {
  running server([](corbel::route_group root) { root.get("/", [] { return std::string("ok"); }); },
                 [] {
                   corbel::server_limits limits;
                   limits.requests_per_connection = 10;
                   return limits;
                 }());
  for (const std::size_t depth : {std::size_t{1}, std::size_t{16}}) {
    CAPTURE(depth);
    auto p = at(server.port());
    p.connections = 4;
    p.depth = depth;
    const auto o = load::run(p);
    nothing_is_lost(o);
    CHECK(o.all.errors() == 0);
    CHECK(o.all.reconnects > 0);
    CHECK((o.all.resent > 0) == (depth > 1));
    CHECK(o.all.answered > 10);
  }
}

TEST_CASE("A body goes with the request, idle connections are held, the server's resources are read") {
  running server([](corbel::route_group root) {
    root.post("/", [](corbel::body<std::string> in) { return std::string(*in); });
  });
  auto p = at(server.port());
  p.method = "POST";
  p.headers = {"Content-Type: application/json"};
  p.body = R"("ok")";
  p.connections = 3;
  p.idle = 40;
  p.servers = {::getpid()};
  const auto o = load::run(p);
  nothing_is_lost(o);
  CHECK(o.all.errors() == 0);
  CHECK(o.opened == 43);
  CHECK(o.all.idle_lost == 0);
  CHECK(o.server_cpu > 0);
  CHECK(o.resident_after > 1'000'000);
  CHECK(o.all.within_window > 0);
}

TEST_CASE("Wrong replies are counted, each under its name") {
  struct row {
    const char* what;
    std::function<std::string(int)> answer;
    std::uint64_t load::tally::*counted;
  };
  const row rows[] = {
      {"status", [](int n) { return n % 2 ? ok() : "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"; },
       &load::tally::wrong_status},
      {"length", [](int n) { return n % 2 ? ok() : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno!"; },
       &load::tally::wrong_length},
      {"malformed", [](int n) { return n % 2 ? std::string("220 smtp ready\r\n\r\n") : ok(); },
       &load::tally::malformed},
      {"broken",
       [](int n) {
         return n % 2 ? std::string("HTTP/1.1 200 OK\r\nclose: 1\r\nContent-Length: 5\r\n\r\nab") : ok();
       },
       &load::tally::broken},
      {"silent end", [](int n) { return n % 2 ? std::string() : ok(); }, &load::tally::broken},
  };
  for (const auto& each : rows) {
    CAPTURE(each.what);
    told_server server(each.answer);
    auto p = at(server.port);
    p.rate = 400;
    const auto o = load::run(p);
    nothing_is_lost(o);
    CHECK(o.all.answered > 0);
    CHECK(o.all.*each.counted > 0);
    CHECK(o.all.errors() == o.all.*each.counted);
  }
}

TEST_CASE("A server that falls silent is given up, and what it owes is counted") {
  told_server server([](int n) { return n < 10 ? ok() : std::string("HTTP/1.1 200 "); });
  auto p = at(server.port);
  p.rate = 200;
  p.patience = 100ms;
  const auto o = load::run(p);
  nothing_is_lost(o);
  CHECK(o.all.answered == 10);
  CHECK(o.all.timed_out > 0);
  CHECK(o.all.due == 35);
}

TEST_CASE("Nobody there is an exception, not a result") {
  int port = 0;
  {
    told_server gone([](int) { return ok(); });
    port = gone.port;
  }
  auto p = at(static_cast<std::uint16_t>(port));
  p.patience = 50ms;
  CHECK_THROWS_WITH_AS(load::run(p), doctest::Contains("nobody answers"), std::runtime_error);
}
