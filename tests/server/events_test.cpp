#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <string>
#include <thread>

#include "corbel/http/event_channel.hpp"
#include "corbel/routing/event_stream.hpp"
#include "http/event_reader.hpp"
#include "server/command.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

using namespace corbel;
using namespace std::chrono_literals;

event_stream news(state<event_channel> channel, last_event_id last) {
  return event_stream(channel->subscribe(last)).retry(100ms);
}
event_stream quick_news(state<event_channel> channel) {
  return event_stream(channel->subscribe()).heartbeat(20ms);
}
event_stream finished() {
  return event_stream::stop();
}
result<event_stream> refused() {
  return not_found("There is no such stream.");
}

struct service {
  explicit service(event_channel_settings settings = {})
      : channel(settings),
        server(
            [](route_group routes) {
              routes.get("/news", &news);
              routes.get("/quick", &quick_news);
              routes.get("/finished", &finished);
              routes.get("/refused", &refused);
            },
            {}, 2, 5s, [this](services& to) { to.provide(channel); }) {}
  event_channel channel;
  running server;
};

/// A client that reads a stream while it goes on. It undoes the chunks itself.
class listener {
 public:
  explicit listener(std::uint16_t port, std::string_view path = "/news", std::string_view more = {},
                    wire::client::options with = {})
      : client_(port, with) {
    client_.send(wire::get(path, more));
    while (raw_.find("\r\n\r\n") == std::string::npos) REQUIRE(receive());
    const auto end = raw_.find("\r\n\r\n") + 4;
    head = raw_.substr(0, end);
    raw_.erase(0, end);
    unchunk();
  }
  /// Reads until so many events were seen; false when they do not come.
  bool wait_for(std::size_t events) {
    while (seen.all.size() < events)
      if (!receive()) return false;
    return true;
  }
  bool wait_for_comments(std::size_t n) {
    while (seen.comments.size() < n)
      if (!receive()) return false;
    return true;
  }
  /// Whether the stream ends as it should, with its last chunk.
  bool ends() {
    while (!ended_)
      if (!receive()) return false;
    return true;
  }
  wire::client& client() { return client_; }

  std::string head;
  events::reader seen;

 private:
  bool receive() {
    char piece[4096];
    const auto n = ::recv(client_.fd(), piece, sizeof piece, 0);
    if (n <= 0) return false;
    raw_.append(piece, static_cast<std::size_t>(n));
    if (!head.empty()) unchunk();
    return true;
  }
  void unchunk() {
    for (;;) {
      const auto line = raw_.find("\r\n");
      if (line == std::string::npos) return;
      std::size_t size = 0;
      std::from_chars(raw_.data(), raw_.data() + line, size, 16);
      if (raw_.size() < line + 2 + size + 2) return;
      ended_ = ended_ || size == 0;
      seen.feed(std::string_view(raw_).substr(line + 2, size));
      raw_.erase(0, line + 2 + size + 2);
    }
  }

  wire::client client_;
  std::string raw_;
  bool ended_ = false;
};

}  // namespace

TEST_CASE("events arrive when they are published, not later") {
  service s;
  listener one(s.server.port());
  CHECK(one.head.find("200 OK") != std::string::npos);
  CHECK(one.head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(one.head.find("Cache-Control: no-store\r\n") != std::string::npos);
  CHECK(one.head.find("X-Accel-Buffering: no\r\n") != std::string::npos);
  listener two(s.server.port());
  CHECK(eventually([&] { return s.channel.subscribers() == 2; }));
  for (std::size_t i = 1; i <= 3; ++i) {
    // Each is waited for before the next is published.
    (void)s.channel.publish(server_event("number " + std::to_string(i)).event("count"));
    CHECK(one.wait_for(i));
    CHECK(two.wait_for(i));
    CHECK(one.seen.all.back().data == "number " + std::to_string(i));
    CHECK(one.seen.all.back().event == "count");
  }
  CHECK(one.seen.retry == "100");
}

TEST_CASE("a client that comes back goes on where it was") {
  service s;
  std::string last;
  {
    listener first(s.server.port());
    (void)s.channel.publish("one");
    (void)s.channel.publish("two");
    REQUIRE(first.wait_for(2));
    last = first.seen.last_id;
  }
  (void)s.channel.publish("three");
  (void)s.channel.publish("four");
  listener again(s.server.port(), "/news", "Last-Event-ID: " + last + "\r\n");
  (void)s.channel.publish("five");
  REQUIRE(again.wait_for(3));
  CHECK(again.seen.all[0].data == "three");
  CHECK(again.seen.all[1].data == "four");
  CHECK(again.seen.all[2].data == "five");
}

TEST_CASE("silence is filled, and whoever vanished is found") {
  service s;
  {
    listener one(s.server.port(), "/quick");
    CHECK(one.wait_for_comments(4));
    CHECK(s.channel.subscribers() == 1);
    one.client().reset();
    CHECK(eventually([&] { return s.channel.subscribers() == 0; }));
  }
  {
    // One that hangs up politely, and says nothing about it but the end of its own stream.
    listener one(s.server.port(), "/quick");
    CHECK(one.wait_for_comments(2));
  }
  CHECK(eventually([&] { return s.channel.subscribers() == 0; }));
}

TEST_CASE("a client that reads nothing is held, not waited for") {
  service s({.events = 50});
  listener idle(s.server.port(), "/news", {}, {.receive_buffer = 4096});
  listener busy(s.server.port());
  CHECK(eventually([&] { return s.channel.subscribers() == 2; }));
  const std::string large(20'000, 'x');
  for (std::size_t i = 0; i < 1000; ++i) {
    (void)s.channel.publish(large + std::to_string(i));
    if (i % 25 == 0) REQUIRE(busy.wait_for(i + 1));
  }
  REQUIRE(busy.wait_for(1000));
  CHECK(busy.seen.all.size() == 1000);
  (void)s.channel.publish("last");
  while (idle.seen.all.empty() || idle.seen.all.back().data != "last")
    REQUIRE(idle.wait_for(idle.seen.all.size() + 1));
  CHECK(idle.seen.all.size() < 1000);
  const auto missed = std::count_if(idle.seen.all.begin(), idle.seen.all.end(),
                                    [](const auto& e) { return e.event == "missed"; });
  CHECK(missed == 1);
}

TEST_CASE("a drain ends streams at once, and properly") {
  service s;
  std::future<void> over;
  {
    listener one(s.server.port());
    listener two(s.server.port());
    CHECK(eventually([&] { return s.channel.subscribers() == 2; }));
    over = s.server.begin_drain();
    CHECK(one.ends());
    CHECK(two.ends());
    CHECK(eventually([&] { return s.channel.subscribers() == 0; }));
  }
  CHECK(over.wait_for(2s) == std::future_status::ready);
}

TEST_CASE("a channel that closes ends its streams, and the connection serves on") {
  service s;
  listener one(s.server.port());
  (void)s.channel.publish("last");
  s.channel.close();
  CHECK(one.ends());
  CHECK(one.seen.all.size() == 1);
  const auto stop = one.client().ask(wire::get("/finished"));
  REQUIRE(stop);
  CHECK(stop->code == 204);
  const auto none = one.client().ask(wire::get("/refused"));
  REQUIRE(none);
  CHECK(none->code == 404);
}

TEST_CASE("curl and Python read the stream") {
  service s;
  const auto id = s.channel.publish("zero");
  (void)s.channel.publish("before");
  const auto port = std::to_string(s.server.port());
  std::thread publisher([&] {
    (void)eventually([&] { return s.channel.subscribers() == 2; });
    (void)s.channel.publish(server_event("grün\nzwei").event("farbe"));
    (void)s.channel.publish("three");
  });
  std::string curl;
  std::thread other([&] {
    curl =
        output_of("curl -sN --max-time 3 -H 'Last-Event-ID: " + id + "' http://127.0.0.1:" + port + "/news");
  });
  const auto python = output_of("python3 " TEST_FOLDER "/sse_client.py " + port + " /news 3 " + id);
  publisher.join();
  s.channel.close();
  other.join();
  CHECK(python == "message 2 before\nfarbe 3 grün|zwei\nmessage 4 three\n");
  CHECK(curl.find("retry: 100\n\nid: ") != std::string::npos);
  CHECK(curl.find("data: before\n\nevent: farbe\nid: ") != std::string::npos);
  CHECK(curl.find("data: grün\ndata: zwei\n\n") != std::string::npos);
}
