#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>

#include "corbel/app/app.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

app_settings quiet() {
  app_settings settings;
  settings.server.port = 0;
  settings.server.drain_timeout = 2s;
  settings.log = logger();
  return settings;
}

task<std::string> nap(const request& in) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 50ms);
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return "napped" + std::string(in.path());
}

task<> note(std::string* into, std::string what, bool fails = false) {
  *into += what + ' ';
  if (fails) throw std::runtime_error("no " + what);
  co_return;
}

/// A host program: a context of its own, run by a thread of its own.
struct host {
  boost::asio::io_context context{1};
  std::thread thread;
  void run() {
    thread = std::thread([this] { context.run(); });
  }
  ~host() {
    if (thread.joinable()) thread.join();
  }
};

/// Why it did not start; empty when it did.
std::string start(app& a, host& h) {
  std::promise<std::string> told;
  auto outcome = told.get_future();
  a.start(h.context, [&](std::exception_ptr failed) {
    try {
      if (failed) std::rethrow_exception(failed);
      told.set_value("");
    } catch (const std::exception& e) {
      told.set_value(e.what());
    }
  });
  h.run();
  return outcome.get();
}

void stop(app& a, host& h) {
  std::promise<void> told;
  boost::asio::post(h.context, [&] { a.stop([&] { told.set_value(); }); });
  told.get_future().wait();
}

}  // namespace

TEST_CASE("an app runs on a context that the host owns, and leaves it when it stops") {
  std::string history;
  app a(quiet());
  a.get("/nap", &nap);
  a.component(
      "one", [&] { return note(&history, "+one"); }, [&] { return note(&history, "-one"); });
  a.component(
      "two", [&] { return note(&history, "+two"); }, [&] { return note(&history, "-two"); });
  host h;
  CHECK(a.port() == 0);
  CHECK(start(a, h) == "");
  CHECK(a.port() != 0);
  wire::client c(a.port());
  CHECK(c.ask(wire::get("/nap")).value().body == "napped/nap");
  c.send(wire::get("/nap"));
  wire::client ready(a.port());
  ready.send("GET /readyz HTTP/1.1\r\n");
  std::this_thread::sleep_for(10ms);
  std::thread stopping([&] { stop(a, h); });
  CHECK(c.read().value().body == "napped/nap");
  ready.send("Host: t\r\n\r\n");
  const auto answer = ready.read();
  CHECK(answer.value().code == 503);
  CHECK(answer->body == R"({"status":"draining"})");
  ready.half_close();
  c.half_close();
  stopping.join();
  h.thread.join();  // nothing of the app keeps the context busy
  CHECK(history == "+one +two -two -one ");
}

TEST_CASE("two apps live in one process, on one context or several, and share nothing") {
  app a(quiet()), b(quiet()), c(quiet());
  for (auto* each : {&a, &b, &c}) {
    each->get("/who",
              [each](const request&) { return std::to_string(reinterpret_cast<std::uintptr_t>(each)); });
    each->get("/nap", &nap);
  }
  a.get("/only-a", [] {});
  host one, two;
  std::promise<void> b_started;
  b.start(one.context, [&](std::exception_ptr) { b_started.set_value(); });
  CHECK(start(a, one) == "");
  b_started.get_future().wait();
  CHECK(start(c, two) == "");
  CHECK(a.port() != b.port());
  for (auto* each : {&a, &b, &c}) {
    wire::client client(each->port());
    CHECK(client.ask(wire::get("/who")).value().body ==
          std::to_string(reinterpret_cast<std::uintptr_t>(each)));
    CHECK(client.ask(wire::get("/nap")).value().code == 200);
    CHECK(client.ask(wire::get("/only-a")).value().code == (each == &a ? 204 : 404));
  }
  stop(a, one);
  CHECK(wire::client(b.port()).ask(wire::get("/nap")).value().code == 200);
  stop(b, one);
  stop(c, two);
}

TEST_CASE("an app that cannot listen undoes its start, and says why") {
  running taken([](route_group) {});
  std::string history;
  auto settings = quiet();
  settings.server.port = taken.port();
  app a(std::move(settings));
  a.component(
      "one", [&] { return note(&history, "+one"); }, [&] { return note(&history, "-one"); });
  host h;
  CHECK(start(a, h) ==
        "cannot listen on 127.0.0.1 port " + std::to_string(taken.port()) + ": Address already in use");
  h.thread.join();
  CHECK(history == "+one -one ");
  bool stopped = false;
  a.stop([&] { stopped = true; });
  CHECK(stopped);
}

TEST_CASE("a component that does not start stops those before it") {
  std::string history;
  app a(quiet());
  a.component(
      "one", [&] { return note(&history, "+one"); }, [&] { return note(&history, "-one"); });
  a.component(
      "database", [&] { return note(&history, "+two", true); }, [&] { return note(&history, "-two"); });
  host h;
  CHECK(start(a, h) == "database: no +two");
  h.thread.join();
  CHECK(history == "+one +two -one ");
}

TEST_CASE("a stop before the start is over waits for it") {
  std::string history;
  app a(quiet());
  a.component(
      "slow",
      [&]() -> task<> {
        return [](std::string* into) -> task<> {
          boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 30ms);
          co_await timer.async_wait(boost::asio::use_awaitable);
          co_await note(into, "+slow");
        }(&history);
      },
      [&] { return note(&history, "-slow"); });
  boost::asio::io_context context;
  std::string order;
  a.start(context, [&](std::exception_ptr failed) { order += failed ? "failed " : "started "; });
  a.stop([&] { order += "stopped"; });
  context.run();
  CHECK(order == "started stopped");
  CHECK(history == "+slow -slow ");
}

TEST_CASE("a stop waits for handlers whose clients are gone, and cancels those that take too long") {
  std::atomic<int> inside{0};
  auto settings = quiet();
  settings.server.drain_timeout = 200ms;
  app a(std::move(settings));
  a.provide(inside);
  a.get("/long", [](state<std::atomic<int>> n) -> task<std::string> {
    struct count {
      std::atomic<int>& n;
      explicit count(std::atomic<int>& of) : n(of) { ++n; }
      ~count() { --n; }
    } const here(*n);
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return "";
  });
  int left_behind = -1;
  std::string ignored;
  a.component("under it", {}, [&]() -> task<> {
    left_behind = inside;
    return note(&ignored, "");
  });
  host h;
  CHECK(start(a, h) == "");
  std::vector<std::unique_ptr<wire::client>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<wire::client>(a.port()));
    clients.back()->send(wire::get("/long"));
  }
  while (inside != 5) std::this_thread::sleep_for(1ms);
  clients.front()->reset();
  stop(a, h);
  CHECK(left_behind == 0);
}

TEST_CASE("inject starts the components once, and the app's end stops them") {
  std::string history;
  {
    app a(quiet());
    a.component(
        "one", [&] { return note(&history, "+one"); }, [&] { return note(&history, "-one"); });
    a.get("/nap", &nap);
    for (int i = 0; i < 3; ++i) CHECK(a.inject(get("/nap")).body() == "napped/nap");
    CHECK(history == "+one ");
  }
  CHECK(history == "+one -one ");
}

TEST_CASE("inject tells again what keeps it from starting") {
  std::string history;
  {
    app a(quiet());
    bool fails = true;
    a.component(
        "one", [&] { return note(&history, "+one", fails); }, [&] { return note(&history, "-one"); });
    a.get("/", [] {});
    for (int i = 0; i < 2; ++i) CHECK_THROWS_WITH(a.inject(get("/")), "one: no +one");
    fails = false;
    CHECK(a.inject(get("/")).code() == 204);
  }
  CHECK(history == "+one +one +one -one ");
  app wrong(quiet());
  wrong.get("no-slash", [] {});
  for (int i = 0; i < 3; ++i) CHECK_THROWS_AS(wrong.inject(get("/")), wiring_error);
}

TEST_CASE("an injected request is read by the parser's rules") {
  app a(quiet());
  a.post("/", [](const request& in) { return std::string(in.body()); });
  CHECK(a.inject(post("/").body("text", "text/plain")).body() == "text");
  CHECK(a.inject(post("/").header("Host", "a b")).code() == 400);
  CHECK(a.inject(post("/").header("X-A", "a\r\nX-B: b")).code() == 200);  // as it would be on the wire
  CHECK(a.inject(post("/ x")).code() == 400);
  CHECK(a.inject(post("/" + std::string(9000, 'x'))).code() == 414);
  CHECK(a.inject(post("/").header("X-A", std::string(20'000, 'x'))).code() == 431);
  CHECK(a.inject(post("/").body(std::string(2'000'000, 'x'), "text/plain")).code() == 413);
  CHECK(a.inject(post("/").header("Transfer-Encoding", "gzip")).code() == 501);
}
