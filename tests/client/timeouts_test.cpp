#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/caller.hpp"
#include "client/raw_server.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

/// The phase that a call ran out of time in; its code when it failed otherwise.
std::string phase(caller& loop, const client& http, outbound request) {
  const auto begun = std::chrono::steady_clock::now();
  const auto got = loop.wait(http.send(std::move(request)));
  REQUIRE_FALSE(got);
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  if (got.error().code() != "timed_out") return got.error().code() + ": " + got.error().cause();
  CHECK(got.error().message().find("127.0.0.1") == std::string::npos);
  return got.error().details().front().second;
}

/// Listens, and lets nobody in: its line of waiting connections is full.
class deaf_server {
 public:
  deaf_server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0);
    REQUIRE(::listen(fd_, 0) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    port = ntohs(at.sin_port);
    for (int& each : fillers_) {
      each = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      (void)::connect(each, reinterpret_cast<sockaddr*>(&at), sizeof at);
    }
  }
  ~deaf_server() {
    for (const int each : fillers_) ::close(each);
    ::close(fd_);
  }
  deaf_server(const deaf_server&) = delete;
  deaf_server& operator=(const deaf_server&) = delete;
  std::uint16_t port;

 private:
  int fd_;
  int fillers_[4];
};

}  // namespace

TEST_CASE("each part of a call has its time") {
  caller loop;
  SUBCASE("connect") {
    deaf_server deaf;
    auto settings = local();
    settings.timeouts.connect = 100ms;
    client http(settings);
    CHECK(phase(loop, http, outbound::get("http://127.0.0.1:" + std::to_string(deaf.port))) == "connect");
  }
  SUBCASE("handshake") {
    raw_server silent([](auto& peer) { peer.request(); });
    auto settings = local();
    settings.timeouts.handshake = 100ms;
    client http(settings);
    CHECK(phase(loop, http, outbound::get("https" + silent.url().substr(4))) == "handshake");
  }
  SUBCASE("first byte") {
    raw_server silent([](auto& peer) {
      peer.request();
      peer.send("HTTP/1.1 200");
      peer.ends();
    });
    auto settings = local();
    settings.timeouts.first_byte = 100ms;
    client http(settings);
    CHECK(phase(loop, http, outbound::get(silent.url())) == "firstByte");
    client patient(local());
    CHECK(phase(loop, patient, outbound::get(silent.url()).first_byte_timeout(100ms)) == "firstByte");
  }
  SUBCASE("between reads") {
    raw_server stops([](auto& peer) {
      peer.request();
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      peer.ends();
    });
    auto settings = local();
    settings.timeouts.idle = 100ms;
    client http(settings);
    CHECK(phase(loop, http, outbound::get(stops.url())) == "body");
  }
  SUBCASE("between writes") {
    raw_server unread([](auto& peer) {
      const int small = 4096;
      ::setsockopt(peer.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
      std::this_thread::sleep_for(400ms);
    });
    auto settings = local();
    settings.timeouts.idle = 100ms;
    client http(settings);
    CHECK(phase(loop, http, outbound::post(unread.url()).body(std::string(32 << 20, 'x'), "text/plain")) ==
          "send");
  }
  SUBCASE("in all, though bytes keep dripping") {
    raw_server drips([](auto& peer) {
      peer.request();
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
      while (peer.send("x")) std::this_thread::sleep_for(10ms);
    });
    client http(local());
    CHECK(phase(loop, http, outbound::get(drips.url()).timeout(150ms)) == "body");
  }
  SUBCASE("in all, over redirects") {
    raw_server sends_on([](auto& peer) {
      while (!peer.request().empty()) {
        std::this_thread::sleep_for(60ms);
        peer.send("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n");
      }
    });
    client http(local());
    CHECK(phase(loop, http, outbound::get(sends_on.url()).timeout(150ms)) == "firstByte");
  }
}

TEST_CASE("a reader that takes its time is not the server's fault") {
  raw_server service([](auto& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    std::this_thread::sleep_for(50ms);
    peer.send("def");
    peer.ends();
  });
  auto settings = local();
  settings.timeouts.idle = settings.timeouts.first_byte = 150ms;
  caller loop;
  client http(settings);
  auto stream = loop.wait(http.open(outbound::get(service.url())));
  REQUIRE(stream);
  loop.turn(300ms);
  std::string body;
  for (;;) {
    const auto piece = loop.wait(stream->read());
    REQUIRE(piece);
    if (piece->empty()) break;
    body += *piece;
    loop.turn(200ms);
  }
  CHECK(body == "abcdef");
}

TEST_CASE("nobody there is told at once") {
  std::uint16_t port = 0;
  {
    raw_server gone([](auto&) {});
    port = gone.port();
  }
  caller loop;
  client http(local());
  const auto got = loop.wait(http.get("http://127.0.0.1:" + std::to_string(port)));
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == "connect_failed");
  CHECK(status_of(got.error().kind()) == status::bad_gateway);
  CHECK(got.error().cause().find("127.0.0.1:" + std::to_string(port)) != std::string::npos);
  CHECK(loop.wait(http.get("http://no-such-host.invalid/")).error().code() == "dns_failed");
}
