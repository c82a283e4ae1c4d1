#include <doctest/doctest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "corbel/runtime/blocking_pool.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

using namespace std::chrono_literals;
using corbel::state;
using corbel::task;

std::string spin() {
  const auto until = std::chrono::steady_clock::now() + 1ms;
  while (std::chrono::steady_clock::now() < until) {
  }
  return "done";
}

void block() {
  std::this_thread::sleep_for(2ms);
}

task<std::string> queue(state<corbel::blocking_pool> pool) {
  co_await pool->run(&block);
  co_return "done";
}

struct load {
  corbel::server_settings settings;
  corbel::blocking_pool pool{1, 10'000};
  std::shared_ptr<corbel::captured_log> log = std::make_shared<corbel::captured_log>();
  std::unique_ptr<running> server;

  explicit load(bool shed = true) {
    settings.shed_load = shed;
    settings.shed_above = 5ms;
    server = std::make_unique<running>(
        settings,
        [](corbel::route_group routes) {
          routes.get("/spin", &spin);
          routes.post("/spin", &spin);
          routes.get("/queue", &queue);
          routes.get("/vital", [] { return std::string("alive"); }).never_shed();
          routes.get("/vital-queue", &queue).never_shed();
        },
        1, [this](corbel::services& all) { all.provide(pool); }, corbel::logger(log));
  }

  /// Rounds of one request on each of many connections, until something is shed or the rounds are over.
  void drive(const std::string& request, int rounds, std::vector<wire::reply>& shed, int& served) {
    std::vector<std::unique_ptr<wire::client>> clients;
    for (int i = 0; i < 120; ++i) clients.push_back(std::make_unique<wire::client>(server->port()));
    for (int round = 0; round < rounds && shed.empty(); ++round) {
      for (auto& each : clients) each->send(request + request);
      for (auto& each : clients)
        for (int i = 0; i < 2; ++i) {
          auto answer = each->read();
          REQUIRE(answer);
          if (answer->code == 200)
            ++served;
          else
            shed.push_back(std::move(*answer));
        }
    }
    // Whoever was refused may ask again on the same connection.
    for (auto& each : clients) CHECK(each->ask(wire::get("/vital")).value().body == "alive");
  }
};

void check_shed(const std::vector<wire::reply>& shed) {
  REQUIRE_FALSE(shed.empty());
  std::set<std::string> waits;
  for (const auto& each : shed) {
    CHECK(each.code == 503);
    CHECK(each.error_code() == "overloaded");
    CHECK_FALSE(each.header("Connection"));
    waits.insert(each.header("Retry-After").value());
  }
  CHECK(waits.size() <= 3);
}

}  // namespace

TEST_CASE("a thread that is behind sheds what would come too late, and never what must be served") {
  load l;
  std::vector<wire::reply> shed;
  int served = 0;
  SUBCASE("without a body") {
    l.drive(wire::get("/spin"), 50, shed, served);
  }
  SUBCASE("with a body") {
    l.drive(wire::post("/spin", "words"), 50, shed, served);
  }
  check_shed(shed);
  CHECK(served > 0);
  CHECK(l.server->server().shed() >= shed.size());
  CHECK(l.log->contains("shedding load"));
  // Some time behind it, all is served again.
  CHECK(wire::client(l.server->port()).ask(wire::get("/spin")).value().code == 200);
}

TEST_CASE("handlers that queue are shed, and never those that must be served") {
  load l;
  std::vector<wire::reply> shed;
  int served = 0;
  l.drive(wire::get("/queue"), 50, shed, served);
  check_shed(shed);
  CHECK(served > 0);
  std::vector<wire::reply> none;
  l.drive(wire::get("/vital-queue"), 5, none, served);
  CHECK(none.empty());
}

TEST_CASE("nothing is shed when that is switched off") {
  load l(false);
  std::vector<wire::reply> shed;
  int served = 0;
  l.drive(wire::get("/spin"), 5, shed, served);
  l.drive(wire::get("/queue"), 5, shed, served);
  CHECK(shed.empty());
  CHECK(l.server->server().shed() == 0);
}
