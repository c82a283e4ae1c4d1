#include "corbel/health/health.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "corbel/app/app.hpp"
#include "corbel/observe/log_sink.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

app_settings named(std::string version) {
  app_settings settings;
  settings.version = std::move(version);
  settings.log = logger();
  return settings;
}

task<bool> always(bool value) {
  co_return value;
}
task<bool> broken() {
  throw std::runtime_error("no route to host");
  co_return true;
}
task<bool> slow(std::atomic<int>* calls) {
  ++*calls;
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 300ms);
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return true;
}
task<bool> hung() {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return true;
}

}  // namespace

TEST_CASE("health says what it stands on") {
  app a(named("1.0.0"));
  a.health().add("database", [] { return always(true); }).add("redis", [] { return always(true); });
  auto out = a.inject(get("/health"));
  CHECK(out.code() == 200);
  CHECK(out.body() == R"({"status":"healthy","database":"connected","redis":"connected","version":"1.0.0"})");
  CHECK(out.header("Cache-Control") == "no-store");
  CHECK(a.inject(get("/readyz")).code() == 200);
  CHECK(a.inject(get("/livez")).body() == R"({"status":"alive"})");
  CHECK(a.inject({"HEAD", "/health"}).code() == 200);
}

TEST_CASE("a check that is false or throws is 503, without its reason") {
  for (const bool throws : {false, true}) {
    app a(named("1"));
    a.health().add("good", [] { return always(true); });
    a.health().add("bad \"name\"", [throws] { return throws ? broken() : always(false); });
    const auto out = a.inject(get("/health"));
    CHECK(out.code() == 503);
    CHECK(out.body() ==
          R"({"status":"unhealthy","good":"connected","bad \"name\"":"disconnected","version":"1"})");
    CHECK(a.inject(get("/readyz")).code() == 503);
    CHECK(a.inject(get("/livez")).code() == 200);
  }
}

TEST_CASE("what the service can do without makes it degraded, and not unready") {
  app a(named("1"));
  a.health().add("database", [] { return always(true); });
  a.health().add(
      "cache", [] { return broken(); }, failure_status::degraded);
  const auto out = a.inject(get("/health"));
  CHECK(out.code() == 200);
  CHECK(out.body() == R"({"status":"degraded","database":"connected","cache":"disconnected","version":"1"})");
  CHECK(a.inject(get("/readyz")).code() == 200);
}

TEST_CASE("what the service cannot do without counts more than what it can") {
  app a(named("1"));
  a.health().add(
      "cache", [] { return always(false); }, failure_status::degraded);
  a.health().add("database", [] { return always(false); });
  CHECK(a.inject(get("/health")).body().starts_with(R"({"status":"unhealthy",)"));
  CHECK(a.inject(get("/readyz")).code() == 503);
}

TEST_CASE("why a check fails is told to the log, once and not for each probe") {
  const auto lines = std::make_shared<captured_log>();
  auto settings = named("1");
  settings.log = logger(lines);
  bool works = false;
  app a(std::move(settings));
  a.health().add("fickle", [&] { return works ? always(true) : broken(); });
  a.health().add(
      "false", [] { return always(false); }, failure_status::degraded);
  const auto probe = [&] {
    (void)a.inject(get("/health"));
    std::this_thread::sleep_for(1100ms);  // a report is good for a second
  };
  probe();
  REQUIRE(lines->lines().size() == 2);
  CHECK(lines->contains(R"("level":"warn","msg":"a health check fails")"));
  CHECK(lines->contains(R"("check":"fickle","status":"unhealthy","cause":"no route to host")"));
  CHECK(lines->contains(R"("check":"false","status":"degraded","cause":"the check gave false")"));
  probe();
  CHECK(lines->lines().size() == 2);
  works = true;
  probe();
  CHECK(lines->lines().size() == 3);
  CHECK(lines->contains(R"("msg":"a health check succeeds again")"));
  works = false;
  probe();
  CHECK(lines->lines().size() == 4);
}

TEST_CASE("a failure is told with its cause, which no client reads") {
  const auto lines = std::make_shared<captured_log>();
  auto settings = named("1");
  settings.log = logger(lines);
  app a(std::move(settings));
  a.health().add("database", []() -> task<bool> {
    throw failure(unavailable("The database is not available.").because("role \"app\" does not exist"));
    co_return true;
  });
  CHECK(a.inject(get("/health")).body().find("role") == std::string::npos);
  CHECK(lines->contains("role \\\"app\\\" does not exist"));
}

TEST_CASE("a service that drains is alive and not ready") {
  app a(named("1"));
  CHECK(a.inject(get("/readyz")).code() == 200);
  a.health().drain();
  const auto out = a.inject(get("/readyz"));
  CHECK(out.code() == 503);
  CHECK(out.body() == R"({"status":"draining"})");
  CHECK(a.inject(get("/livez")).code() == 200);
}

TEST_CASE("checks run once a second, and a probe that goes away says nothing of what it asked about") {
  std::atomic<int> calls{0};
  health checked("1");
  checked.add("database", [&] { return slow(&calls); });
  running server([&](route_group routes) { checked.mount(routes); }, {}, 2, 5000ms,
                 [&](services& all) { all.provide(checked); });
  {
    wire::client impatient(server.port());
    impatient.send(wire::get("/health"));
    while (calls == 0) std::this_thread::sleep_for(1ms);
    impatient.reset();
  }
  std::this_thread::sleep_for(30ms);
  wire::client c(server.port());
  CHECK(c.ask(wire::get("/health")).value().code == 200);
  const int before = calls;
  for (int i = 0; i < 50; ++i) CHECK(c.ask(wire::get(i % 2 ? "/health" : "/readyz")).value().code == 200);
  CHECK(calls <= before + 1);
}

TEST_CASE("a check that hangs is not connected") {
  health checked("1");
  checked.add("hung", [] { return hung(); }).add("good", [] { return always(true); });
  running server([&](route_group routes) { checked.mount(routes); }, {}, 1, 5000ms,
                 [&](services& all) { all.provide(checked); });
  wire::client c(server.port());
  const auto out = c.ask(wire::get("/health"));
  CHECK(out.value().code == 503);
  CHECK(out->body.find(R"("hung":"disconnected")") != std::string::npos);
}
