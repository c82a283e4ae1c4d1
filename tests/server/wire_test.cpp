#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <random>
#include <string>

#include "corbel/runtime/blocking_pool.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using corbel::request;
using corbel::task;

task<std::string> nap(const request& in) {
  const auto time = in.query() == "long" ? 100ms : 2ms;
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
  co_return "napped:" + std::string(in.body());
}

corbel::response fill(const request& in) {
  std::size_t n = 0;
  for (const char c : in.query()) n = n * 10 + static_cast<std::size_t>(c - '0');
  return corbel::text_response(
      std::string(std::min<std::size_t>(n, 50'000'000), 'f'));  // garbled, it may be any number
}

void wire_up(corbel::route_group routes) {
  routes.get("/ping", [] { return std::string("pong"); });
  routes.post("/echo", [](const request& in) { return std::string(in.body()); });
  routes.get("/nap", &nap);
  routes.post("/nap", &nap);
  routes.get("/fill", &fill);
  routes.get("/empty", [] {});
  routes.get("/old", [] { return corbel::response(corbel::status::not_modified); });
  routes.get("/bye", [] {
    auto out = corbel::text_response("bye");
    out.close();
    return out;
  });
}

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == "VmRSS:") {
      std::size_t kib = 0;
      status >> kib;
      return kib;
    }
  return 0;
}

}  // namespace

TEST_CASE("HTTP/1.0 closes behind its answer unless it asked for more") {
  running server(wire_up);
  {
    wire::client c(server.port());
    const auto answer = c.ask("GET /ping HTTP/1.0\r\n\r\nGET /ping HTTP/1.0\r\n\r\n");
    CHECK(answer.value().body == "pong");
    CHECK(answer->head.substr(0, 15) == "HTTP/1.1 200 OK");
    CHECK(answer->header("Connection") == "close");
    CHECK(c.ends());
  }
  {
    wire::client c(server.port());
    for (int i = 0; i < 2; ++i) {
      const auto answer = c.ask("GET /ping HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
      CHECK(answer.value().body == "pong");
      CHECK(answer->header("Connection") == "keep-alive");
    }
    CHECK(c.ask("POST /nap HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi").value().body ==
          "napped:hi");
  }
}

TEST_CASE("Connection: close is honoured, from either side and in every spelling") {
  running server(wire_up);
  for (const std::string value : {"close", "CLOSE", "keep-alive, Close", "x , close ,y"}) {
    CAPTURE(value);
    wire::client c(server.port());
    c.send(wire::get("/ping", "Connection: " + value + "\r\n") + wire::get("/ping"));
    const auto answer = c.read();
    CHECK(answer.value().body == "pong");
    CHECK(answer->header("Connection") == "close");
    CHECK(c.ends());
  }
  wire::client c(server.port());
  c.send(wire::get("/ping", "Connection: closed\r\n") + wire::get("/bye") + wire::get("/ping"));
  CHECK_FALSE(c.read().value().header("Connection"));
  CHECK(c.read().value().header("Connection") == "close");
  CHECK(c.ends());
}

TEST_CASE("a HEAD has the fields of its GET and no body; so have statuses without one") {
  running server(wire_up);
  wire::client c(server.port());
  const auto head = [](const std::string& path) { return "HEAD " + path + " HTTP/1.1\r\nHost: t\r\n\r\n"; };
  CHECK(c.ask(head("/ping"), true).value().header("Content-Length") == "4");
  CHECK(c.ask(head("/fill?100000"), true).value().header("Content-Length") == "100000");
  const auto missing = c.ask(head("/missing"), true);
  CHECK(missing.value().code == 404);
  CHECK(missing->header("Content-Length") != "0");
  CHECK(c.ask(head("/nap"), true).value().header("Content-Length") == "7");
  const auto empty = c.ask(wire::get("/empty"));
  CHECK(empty.value().code == 204);
  CHECK_FALSE(empty->header("Content-Length"));
  CHECK(c.ask(wire::get("/old")).value().code == 304);
  CHECK(c.ask(wire::get("/ping")).value().body == "pong");
}

TEST_CASE("every response has one Date, one Content-Length, and a body of that length") {
  running server(wire_up);
  wire::client c(server.port());
  for (const auto* path : {"/ping", "/nap", "/fill?70000", "/missing"}) {
    const auto answer = c.ask(wire::get(path));
    REQUIRE(answer);
    CHECK(answer->count("Date") == 1);
    CHECK(answer->header("Date")->size() == 29);
    CHECK(answer->count("Content-Length") == 1);
    CHECK(answer->count("Content-Type") == 1);
  }
}

TEST_CASE("Expect: 100-continue asks first and sends later") {
  running server(wire_up);
  const auto head = [](const std::string& path, std::size_t n) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(n) +
           "\r\n\r\n";
  };
  SUBCASE("accepted") {
    wire::client c(server.port());
    for (int i = 1; i <= 2; ++i) {
      c.send(head("/echo", 5));
      char interim[64];
      const auto n = ::recv(c.fd(), interim, sizeof interim, 0);
      REQUIRE(n > 0);
      CHECK(std::string_view(interim, static_cast<std::size_t>(n)) == "HTTP/1.1 100 Continue\r\n\r\n");
      CHECK(c.ask("hello").value().body == "hello");
    }
  }
  SUBCASE("a client that does not wait") {
    wire::client c(server.port());
    CHECK(c.ask(head("/echo", 5) + "hello").value().body == "hello");
    CHECK(c.interim == 0);
  }
  SUBCASE("HTTP/1.0 does not understand it") {
    wire::client c(server.port());
    CHECK(
        c.ask("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello").value().body ==
        "hello");
    CHECK(c.interim == 0);
  }
  struct refusal {
    std::string bytes;
    int code;
    const char* error_code;
  };
  for (const auto& each :
       {refusal{head("/missing", 5), 404, "not_found"}, refusal{head("/ping", 5), 405, "method_not_allowed"},
        refusal{head("/echo", 5'000'000), 413, "payload_too_large"}}) {
    wire::client c(server.port());
    const auto answer = c.ask(each.bytes);
    CHECK(answer.value().code == each.code);
    CHECK(answer->error_code() == each.error_code);
    CHECK(c.interim == 0);
    if (each.code == 405) CHECK(answer->header("Allow") == "GET, HEAD, OPTIONS");
    CHECK(c.ends());
  }
  SUBCASE("OPTIONS with a body is no refusal") {
    wire::client c(server.port());
    c.send("OPTIONS /ping HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    std::this_thread::sleep_for(10ms);
    const auto answer = c.ask("{}");
    CHECK(answer.value().code == 204);
    CHECK(answer->header("Allow") == "GET, HEAD, OPTIONS");
    CHECK(c.interim == 1);
  }
}

TEST_CASE("pipelined requests are answered in their order, whoever waits") {
  running server(wire_up);
  std::string all;
  std::vector<std::string> expected;
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    const auto name = std::to_string(i);
    switch (random() % 6) {
      case 0: all += wire::post("/nap", name), expected.push_back("napped:" + name); break;
      case 1: all += wire::chunked("/echo", {"c", name}), expected.push_back("c" + name); break;
      case 2: all += wire::get("/fill?3000"), expected.push_back(std::string(3000, 'f')); break;
      default: all += wire::post("/echo", name), expected.push_back(name); break;
    }
  }
  SUBCASE("sent at once") {
    wire::client c(server.port());
    c.send(all);
    for (const auto& body : expected) REQUIRE(c.read().value().body == body);
  }
  SUBCASE("sent in pieces of random size") {
    wire::client c(server.port());
    std::string_view rest = all;
    while (!rest.empty()) {
      const auto n = std::min<std::size_t>(rest.size(), 1 + random() % 700);
      c.send(rest.substr(0, n));
      rest.remove_prefix(n);
      if (random() % 3 == 0) std::this_thread::sleep_for(1ms);
    }
    for (const auto& body : expected) REQUIRE(c.read().value().body == body);
  }
  SUBCASE("and the sending side closed") {
    const auto answers = wire::split(wire::talk(server.port(), all));
    REQUIRE(answers.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(answers[i].body == expected[i]);
  }
}

TEST_CASE("a request split at every byte over the wire gives the same answer") {
  running server(wire_up);
  const auto request =
      wire::post("/echo", "hello") + wire::chunked("/echo", {"wor", "ld"}) + wire::get("/nap");
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    wire::client c(server.port());
    c.send(std::string_view(request).substr(0, cut));
    std::this_thread::sleep_for(500us);
    c.send(std::string_view(request).substr(cut));
    REQUIRE(c.read().value().body == "hello");
    REQUIRE(c.read().value().body == "world");
    REQUIRE(c.read().value().body == "napped:");
  }
  wire::client c(server.port());
  c.send_bytewise(request);
  CHECK(c.read().value().body == "hello");
  CHECK(c.read().value().body == "world");
  CHECK(c.read().value().body == "napped:");
}

TEST_CASE("a client that sends and closes its side still gets its answer") {
  running server(wire_up);
  for (const auto* path : {"/ping", "/nap", "/fill?2000000"}) {
    const auto answers = wire::split(wire::talk(server.port(), wire::get(path)));
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].code == 200);
  }
  CHECK(wire::talk(server.port(), "GET /ping HT").empty());
  CHECK(wire::talk(server.port(), "").empty());
  CHECK(wire::talk(server.port(), wire::post("/echo", "hello").substr(0, 84)).empty());
}

TEST_CASE("a client that does not read makes the server hold little, and holds up nobody") {
  running server(wire_up);
  const auto before = resident_kib();
  wire::client slow(server.port(), {4096});
  std::string many;
  for (int i = 0; i < 80; ++i) many += wire::get("/fill?1000000");
  std::thread sender([&] { slow.send(many); });
  std::this_thread::sleep_for(200ms);
  for (int i = 0; i < 20; ++i) CHECK(wire::client(server.port()).ask(wire::get("/nap")).value().code == 200);
  CHECK(resident_kib() - before < 32 * 1024);  // of the 80 MB that were asked for
  for (int i = 0; i < 80; ++i) {
    const auto answer = slow.read();
    REQUIRE(answer);
    REQUIRE(answer->body.size() == 1'000'000);
  }
  sender.join();
  CHECK(slow.ask(wire::get("/ping")).value().body == "pong");
}

TEST_CASE("a client that never reads is given up") {
  corbel::server_limits limits;
  limits.write_timeout = 200ms;
  running server(wire_up, limits);
  wire::client stuck(server.port(), {4096});
  CHECK(stuck.ask(wire::get("/ping")).value().body == "pong");
  stuck.send(wire::get("/fill?30000000") + wire::get("/nap") + wire::get("/ping"));
  std::this_thread::sleep_for(100ms);
  CHECK(server.server().connections() == 1);
  for (int i = 0; i < 1000 && server.server().connections() != 0; ++i) std::this_thread::sleep_for(10ms);
  CHECK(server.server().connections() == 0);
}

TEST_CASE("a large answer behind a waiting one, and the other way round, arrive whole") {
  running server(wire_up);
  wire::client c(server.port(), {4096});
  std::string many;
  for (int i = 0; i < 10; ++i)
    many += wire::get("/nap") + wire::get("/fill?400000") + wire::chunked("/nap", {"x"});
  std::thread sender([&] { c.send(many); });
  for (int i = 0; i < 10; ++i) {
    REQUIRE(c.read().value().body == "napped:");
    std::this_thread::sleep_for(5ms);
    REQUIRE(c.read().value().body.size() == 400'000);
    REQUIRE(c.read().value().body == "napped:x");
  }
  sender.join();
}

TEST_CASE("random bytes at the socket harm nobody") {
  running server(wire_up, {}, 2);
  std::mt19937 random(20260102);
  const std::vector<std::string> seeds = {
      wire::get("/ping"),
      wire::post("/echo", "hello"),
      wire::chunked("/echo", {"hello", "world"}),
      wire::get("/nap"),
      wire::post("/nap", "x") + wire::get("/ping"),
      wire::get("/fill?300000"),
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"};
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    if (i % 3 == 0) {
      for (auto n = random() % 300; n > 0; --n) text += static_cast<char>(random());
    } else {
      text = seeds[random() % seeds.size()] + seeds[random() % seeds.size()];
      for (auto n = random() % 6; n > 0; --n) {
        const auto at = random() % text.size();
        switch (random() % 4) {
          case 0: text[at] = static_cast<char>(random()); break;
          case 1: text.erase(at, random() % 10); break;
          case 2: text.insert(at, 1, static_cast<char>(random())); break;
          default: text.insert(at, text.substr(random() % text.size(), random() % 30)); break;
        }
        if (text.empty()) text = "x";
      }
    }
    wire::client c(server.port());
    const auto cut = random() % (text.size() + 1);
    c.send(std::string_view(text).substr(0, cut));
    if (random() % 8 == 0) std::this_thread::sleep_for(1ms);
    c.send(std::string_view(text).substr(cut));
    if (random() % 4 == 0) {
      c.reset();
    } else {
      c.half_close();
      if (random() % 4) (void)wire::split(c.drain());
    }
    if (i % 50 == 0) REQUIRE(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
  }
  CHECK(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
}

namespace {

struct pool_hops {
  corbel::blocking_pool pool{3, 1000};
};

task<std::string> hop(const request& in, corbel::state<pool_hops> hops) {
  const auto before = std::this_thread::get_id();
  std::string text(in.body());
  for (int i = 0; i < 3; ++i) {
    auto work = [](std::string t) { return t + '.'; };
    text = co_await hops->pool.run(work, std::move(text));
  }
  co_return std::this_thread::get_id() == before ? text : "on another thread";
}

}  // namespace

TEST_CASE("handlers hop to the blocking pool and back to their own loop") {
  pool_hops hops;
  running server([](corbel::route_group routes) { routes.post("/hop", &hop); }, {}, 3, 5000ms,
                 [&](corbel::services& all) { all.provide(hops); });
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int t = 0; t < 6; ++t)
    clients.emplace_back([&, t] {
      wire::client c(server.port());
      for (int i = 0; i < 60; ++i) {
        const auto name = std::to_string(t) + '-' + std::to_string(i);
        c.send(wire::post("/hop", name) + wire::chunked("/hop", {name, "b"}));
        right += c.read().value().body == name + "...";
        right += c.read().value().body == name + "b...";
        if (i % 20 == 19) {
          wire::client gone(server.port());
          gone.send(wire::post("/hop", name));
          gone.reset();
        }
      }
    });
  for (auto& each : clients) each.join();
  CHECK(right == 6 * 60 * 2);
}

TEST_CASE("a drain ends idle connections and lets requests in flight finish") {
  running server(wire_up);
  wire::client idle(server.port());
  CHECK(idle.ask(wire::get("/ping")).value().body == "pong");
  wire::client waits(server.port());
  waits.send(wire::get("/nap?long") + wire::get("/ping"));
  wire::client sends(server.port());
  const auto text = wire::post("/echo", "hello");
  sends.send(text.substr(0, text.size() - 2));
  wire::client begins(server.port());
  begins.send("GET /ping HTTP/1.1\r\n");
  std::this_thread::sleep_for(10ms);
  auto over = server.begin_drain();
  CHECK(idle.ends());
  const auto answer = waits.read();
  CHECK(answer.value().body == "napped:");
  CHECK(answer->header("Connection") == "close");
  CHECK(waits.ends());
  sends.send("lo");
  const auto echoed = sends.read();
  CHECK(echoed.value().body == "hello");
  CHECK(echoed->header("Connection") == "close");
  begins.send("Host: t\r\n\r\n");
  CHECK(begins.read().value().header("Connection") == "close");
  CHECK_THROWS(wire::client(server.port()));
  for (auto* c : {&sends, &begins}) CHECK(c->ends());
  sends.half_close();
  begins.half_close();
  waits.half_close();
  over.wait();
}

TEST_CASE("a drain does not wait for ever") {
  corbel::server_limits limits;
  running server(wire_up, limits, 2, 150ms);
  std::vector<std::unique_ptr<wire::client>> stuck;
  for (int i = 0; i < 10; ++i) {
    stuck.push_back(std::make_unique<wire::client>(server.port()));
    stuck.back()->send(i % 2 ? "GET /ping HTTP/1.1\r\n"
                             : "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n");
  }
  std::this_thread::sleep_for(10ms);
  server.drain();
}

TEST_CASE("a port that is taken is named in the reason") {
  running server(wire_up);
  corbel::server_settings settings;
  settings.port = server.port();
  corbel::router routes;
  CHECK(routes.build(server.context.provided).empty());
  corbel::event_loop loop;
  const auto why = [&] {
    try {
      corbel::server second(settings, routes, server.context);
      second.start({&loop});
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string("it started");
  };
  CHECK(why() ==
        "cannot listen on 127.0.0.1 port " + std::to_string(server.port()) + ": Address already in use");
  settings.host = "localhost";
  CHECK(why() == "cannot listen on \"localhost\": give a numeric address such as 127.0.0.1, 0.0.0.0 or ::");
  settings.host = "127.0.0.1";
  settings.limits.header_bytes = 1'000'000;
  CHECK(why().find("limits.header_bytes") != std::string::npos);
  settings.limits = {};
  settings.limits.handler_timeout = std::chrono::milliseconds::max();
  CHECK(why() == "limits.handler_timeout is above a year: make it shorter");
  CHECK(wire::client(server.port()).ask(wire::get("/ping")).value().body == "pong");
}
