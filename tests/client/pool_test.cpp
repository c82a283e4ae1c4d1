#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "client/caller.hpp"
#include "client/raw_server.hpp"
#include "corbel/runtime/event_loop.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

void echo_number(raw_server::peer& peer) {
  while (!peer.request().empty()) peer.send(ok(std::to_string(peer.number())));
}

/// Starts calls side by side on one loop and waits for all of them.
std::vector<result<client_response>> together(caller& loop, const client& http, const std::string& url,
                                              int n) {
  std::vector<result<client_response>> all;
  int left = n;
  for (int i = 0; i < n; ++i)
    loop.start<client_response>(http.get(url), [&](result<client_response> got) {
      all.push_back(std::move(got));
      --left;
    });
  loop.loop.restart();
  while (left > 0) loop.loop.run_one();
  return all;
}

}  // namespace

TEST_CASE("a connection serves one call after the other") {
  raw_server service(echo_number);
  caller loop;
  client http(local());
  for (int i = 0; i < 5; ++i) CHECK(loop.wait(http.get(service.url()))->body() == "0");
  CHECK(service.connections() == 1);
  // Another origin, though the same server.
  CHECK(loop.wait(http.get("http://127.0.0.1:" + std::to_string(service.port()) + "/x"))->body() == "0");
  auto named = local();
  client other(named);
  CHECK(loop.wait(other.get(service.url()))->body() == "1");
}

TEST_CASE("a connection is not used again when the response forbids it, or did not end well") {
  const char* const last_words[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
      "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb",
      "HTTP/1.1 204 No Content\r\n\r\nx",
  };
  for (const auto* words : last_words) {
    raw_server service([&](auto& peer) {
      while (!peer.request().empty()) peer.send(words);
    });
    caller loop;
    client http(local());
    for (int i = 0; i < 3; ++i) {
      const auto got = loop.wait(http.get(service.url()));
      REQUIRE(got);
      CHECK((got->body() == "a" || got->code() == 204));
    }
    CHECK_MESSAGE(service.connections() == 3, words);
  }
}

TEST_CASE("a server that closed a kept connection is called on a new one") {
  std::promise<void> closed;
  raw_server service([&](auto& peer) {
    peer.request();
    peer.send(ok(std::to_string(peer.number())));
    if (peer.number() == 0) {
      ::shutdown(peer.fd(), SHUT_RDWR);
      closed.set_value();
    }
  });
  caller loop;
  client http(local());
  CHECK(loop.wait(http.get(service.url()))->body() == "0");
  closed.get_future().wait();
  // Nothing that may only be done once is lost: the closed connection is seen before it is used.
  CHECK(loop.wait(http.send(outbound::post(service.url()).body("x", "text/plain")))->body() == "1");
}

TEST_CASE("a call is repeated when an old connection dies under it, and repeating it is safe") {
  // The first connection takes the second request and dies.
  const auto dying = [](auto& peer) {
    peer.request();
    peer.send(ok(std::to_string(peer.number())));
    if (peer.request().empty() || peer.number() == 0) return;
    peer.send(ok("again"));
  };
  {
    raw_server service(dying);
    caller loop;
    client http(local());
    CHECK(loop.wait(http.get(service.url()))->body() == "0");
    CHECK(loop.wait(http.get(service.url()))->body() == "1");
    CHECK(service.requests().size() == 3);
  }
  {
    raw_server service(dying);
    caller loop;
    client http(local());
    CHECK(loop.wait(http.get(service.url()))->body() == "0");
    const auto lost = loop.wait(http.send(outbound::post(service.url()).body("pay", "text/plain")));
    REQUIRE_FALSE(lost);
    CHECK(lost.error().code() == "connection_lost");
    CHECK(service.requests().size() == 2);
  }
  {
    // On a new connection there is no reason to believe that it goes better.
    raw_server service([](auto& peer) { peer.request(); });
    caller loop;
    client http(local());
    const auto lost = loop.wait(http.get(service.url()));
    REQUIRE_FALSE(lost);
    CHECK(lost.error().code() == "connection_lost");
    CHECK(service.connections() == 1);
  }
}

TEST_CASE("an origin gets so many connections, and calls stand in line for them") {
  raw_server service(echo_number);
  auto settings = local();
  settings.limits.connections_per_origin = 3;
  caller loop;
  client http(settings);
  const auto all = together(loop, http, service.url(), 50);
  for (const auto& each : all) CHECK(each);
  CHECK(service.connections() == 3);
}

TEST_CASE("the limit of all connections makes idle ones leave") {
  raw_server a(echo_number), b(echo_number);
  auto settings = local();
  settings.limits.connections = 2;
  caller loop;
  client http(settings);
  CHECK(together(loop, http, a.url(), 2).size() == 2);
  CHECK(a.connections() == 2);
  CHECK(loop.wait(http.get(b.url())));
  CHECK(loop.wait(http.get(a.url())));  // one of a's is left
  CHECK(a.connections() == 2);
  CHECK(together(loop, http, b.url(), 10).size() == 10);
}

TEST_CASE("a line that is full, or does not move, is an error") {
  raw_server service([](auto& peer) {
    peer.request();
    peer.ends();
  });
  auto settings = local();
  settings.limits.connections_per_origin = 1;
  settings.limits.waiting = 1;
  caller loop;
  client http(settings);
  std::string first, second;
  loop.start<client_response>(http.send(outbound::get(service.url()).timeout(600ms)),
                              [&](auto got) { first = got.error().details().front().second; });
  loop.start<client_response>(http.send(outbound::get(service.url()).timeout(100ms)), [&](auto got) {
    second = got.error().details().front().second;
    CHECK(got.error().code() == "timed_out");
    CHECK(status_of(got.error().kind()) == status::gateway_timeout);
  });
  const auto third = loop.wait(http.get(service.url()));
  REQUIRE_FALSE(third);
  CHECK(third.error().code() == "busy");
  CHECK(status_of(third.error().kind()) == status::service_unavailable);
  CHECK(third.error().retry_after() == 1s);
  loop.turn(300ms);
  CHECK(second == "queue");
  CHECK(first.empty());
  loop.turn(500ms);
  CHECK(first == "firstByte");
}

TEST_CASE("idle connections are closed in time, and at once when the client stops") {
  std::promise<void> first_ended, second_ended;
  raw_server service([&](auto& peer) {
    peer.request();
    peer.send(ok("."));
    if (peer.ends()) (peer.number() == 0 ? first_ended : second_ended).set_value();
  });
  auto settings = local();
  settings.limits.keep_alive = 50ms;
  caller loop;
  client http(settings);
  CHECK(loop.wait(http.get(service.url())));
  loop.turn(200ms);
  CHECK(first_ended.get_future().wait_for(5s) == std::future_status::ready);
  CHECK(loop.wait(http.get(service.url())));
  loop.run(http.stop());
  loop.turn(10ms);
  CHECK(second_ended.get_future().wait_for(5s) == std::future_status::ready);
  const auto late = loop.wait(http.get(service.url()));
  CHECK(late.error().code() == "client_stopped");
  CHECK(status_of(late.error().kind()) == status::service_unavailable);
}

TEST_CASE("a loop runs out when the client has stopped") {
  raw_server service(echo_number);
  boost::asio::io_context loop;
  client http(local());
  bool done = false;
  const auto work = [](client& c, std::string url, bool& d) -> task<> {
    (void)co_await c.get(url);
    co_await c.stop();
    d = true;
  };
  boost::asio::co_spawn(loop, work(http, service.url(), done), [](std::exception_ptr) {});
  const auto begun = std::chrono::steady_clock::now();
  loop.run();
  CHECK(done);
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
}

TEST_CASE("a cancelled call closes its connection and leaves its place in line") {
  std::promise<void> ended;
  raw_server service([&](auto& peer) {
    peer.request();
    if (peer.number() == 0) {
      if (peer.ends()) ended.set_value();
    } else {
      peer.send(ok("after"));
    }
  });
  auto settings = local();
  settings.limits.connections_per_origin = 1;
  caller loop;
  client http(settings);
  CHECK(loop.cancelled(http.get(service.url()), 50ms));
  CHECK(ended.get_future().wait_for(5s) == std::future_status::ready);
  CHECK(loop.wait(http.get(service.url()))->body() == "after");

  // And while it waits in line.
  raw_server slow([](auto& peer) {
    peer.request();
    peer.ends();
  });
  loop.start<client_response>(http.send(outbound::get(slow.url()).timeout(300ms)),
                              [](auto got) { CHECK(got.error().code() == "timed_out"); });
  CHECK(loop.cancelled(http.get(slow.url()), 50ms));
  loop.turn(500ms);
}

TEST_CASE("the loop may end before the client, and the client before the loop") {
  raw_server service(echo_number);
  client http(local());
  {
    caller loop;
    CHECK(loop.wait(http.get(service.url())));
    // A call in flight when its loop goes away.
    loop.start<client_response>(http.get(service.url()), [](auto) {});
    loop.loop.poll_one();
  }
  caller loop;
  CHECK(loop.wait(http.get(service.url())));
  {
    client brief(local());
    CHECK(loop.wait(brief.get(service.url())));
  }
  loop.turn(10ms);
  CHECK(loop.wait(http.get(service.url())));
}

TEST_CASE("one client serves many loops at once") {
  raw_server service(echo_number);
  auto settings = local();
  settings.limits.connections_per_origin = 2;
  client http(settings);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      caller loop;
      for (const auto& each : together(loop, http, service.url(), 50)) good += each.has_value();
    });
  for (auto& each : threads) each.join();
  CHECK(good == 200);
  CHECK(service.connections() == 8);

  // Stopped from here, while others run.
  std::vector<std::unique_ptr<event_loop>> loops;
  std::vector<std::thread> runners;
  for (int t = 0; t < 2; ++t) loops.push_back(std::make_unique<event_loop>());
  for (auto& each : loops) runners.emplace_back([&each] { each->run(); });
  std::atomic<int> ended{0};
  std::promise<void> all_ended;
  const std::function<void(result<client_response>)> tell = [&](auto got) {
    if (!got) CHECK(got.error().code() == "client_stopped");
    if (++ended == 40) all_ended.set_value();
  };
  for (std::size_t i = 0; i < 40; ++i)
    boost::asio::co_spawn(loops[i % 2]->context(), then<client_response>(http.get(service.url()), tell),
                          boost::asio::detached);
  caller here;
  here.run(http.stop());
  CHECK(all_ended.get_future().wait_for(10s) == std::future_status::ready);
  for (auto& each : loops) each->stop();
  for (auto& each : runners) each.join();
}
