#include <doctest/doctest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using corbel::request;
using corbel::task;

std::string echo(const request& in) {
  return std::string(in.body());
}

task<std::string> wait(const request& in) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(5));
  co_await timer.async_wait(asio::use_awaitable);
  co_return "waited " + std::string(in.path_param("n").value_or("?")) + ' ' + std::string(in.body());
}

task<std::string> at_once(const request& in) {
  co_return "at once " + std::string(in.path_param("n").value_or("?"));
}

void wire_up(corbel::route_group routes) {
  routes.get("/hello", [] { return std::string("hello"); });
  routes.post("/echo", &echo);
  routes.get("/wait/:n", &wait);
  routes.post("/wait/:n", &wait);
  routes.get("/at-once/:n", &at_once);
  routes.get("/nothing", [] {});
}

}  // namespace

TEST_CASE("one connection serves requests of every kind one after the other") {
  running server(wire_up);
  wire::client c(server.port());
  for (int round = 0; round < 3; ++round) {
    CHECK(c.ask(wire::get("/hello")).value().body == "hello");
    CHECK(c.ask(wire::post("/echo", "whole")).value().body == "whole");
    const auto pieces = wire::post("/echo", "in pieces");
    c.send(pieces.substr(0, 84));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(c.ask(pieces.substr(84)).value().body == "in pieces");
    CHECK(c.ask(wire::chunked("/echo", {"chunk ", "by ", "chunk"})).value().body == "chunk by chunk");
    CHECK(c.ask(wire::get("/wait/7")).value().body == "waited 7 ");
    CHECK(c.ask(wire::get("/at-once/8")).value().body == "at once 8");
    CHECK(c.ask(wire::get("/nothing")).value().code == 204);
    const std::string big(300'000, 'b');
    CHECK(c.ask(wire::post("/echo", big)).value().body == big);
    CHECK(c.ask(wire::chunked("/wait/9", {big, big})).value().body == "waited 9 " + big + big);
  }
}

TEST_CASE("a body that arrives in pieces does not disturb the requests behind it") {
  running server(wire_up);
  const auto first = wire::post("/echo", "first body");
  const auto pipelined = first + wire::get("/hello") + wire::post("/echo", "third") + wire::get("/wait/4") +
                         wire::chunked("/echo", {"fif", "th"}) + wire::get("/at-once/6");
  for (std::size_t cut = 0; cut <= pipelined.size(); cut += 7) {
    CAPTURE(cut);
    wire::client c(server.port());
    c.send(std::string_view(pipelined).substr(0, cut));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    c.send(std::string_view(pipelined).substr(cut));
    for (const auto* expected : {"first body", "hello", "third", "waited 4 ", "fifth", "at once 6"})
      REQUIRE(c.read().value().body == expected);
  }
}
