// Which layers see which responses: every response passes the `after` of each layer that it lies behind,
// once.

#include <doctest/doctest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <mutex>

#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using corbel::flow;
using corbel::next;
using corbel::request;
using corbel::response;
using corbel::task;

/// What the layers of one server have seen, in order, such as "outer 200".
class sightings {
 public:
  void note(std::string_view layer, const response& out) { note(layer, static_cast<int>(out.status())); }
  void note(std::string_view layer, int code) {
    const std::lock_guard lock(guard_);
    all_.push_back(std::string(layer) + ' ' + std::to_string(code));
  }
  void count(const std::string& what) {
    const std::lock_guard lock(guard_);
    ++counts_[what];
  }
  int counted(const std::string& what) {
    const std::lock_guard lock(guard_);
    return counts_[what];
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(guard_);
    return std::exchange(all_, {});
  }
  std::size_t size() {
    const std::lock_guard lock(guard_);
    return all_.size();
  }

 private:
  std::mutex guard_;
  std::vector<std::string> all_;
  std::map<std::string, int> counts_;
};

struct seer {
  std::string name;
  std::shared_ptr<sightings> seen;
  flow before(request& in, response& out) const {
    seen->count(name + " before");
    out.set("X-" + name, "laid");
    if (in.header("Stop") != name) return flow::proceed;
    out.status(corbel::status::forbidden);
    return flow::stop;
  }
  void after(const request&, response& out) const { seen->note(name, out); }
};

/// All hooks at once.
struct surrounding {
  std::shared_ptr<sightings> seen;
  flow before(request& in, response& out) const {
    seen->count("around before");
    if (in.header("Stop") != "around") return flow::proceed;
    out.status(corbel::status::forbidden);
    return flow::stop;
  }
  task<response> around(request& in, next rest) const {
    return run(seen, in.header("Keep").has_value(), rest);
  }
  void after(const request&, response& out) const { seen->note("around", out); }

  static task<response> run(std::shared_ptr<sightings> seen, bool keep, next rest) {
    seen->count("around entered");
    if (keep) co_return corbel::text_response("kept", corbel::status::accepted);
    auto made = co_await rest();
    seen->count("around left");
    co_return made;
  }
};

std::string plain() {
  return "plain";
}

task<std::string> forever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 10min);
  co_await timer.async_wait(asio::use_awaitable);
  co_return "never";
}

std::string throwing() {
  throw std::runtime_error("a surprise");
}

struct fixture {
  std::shared_ptr<sightings> seen = std::make_shared<sightings>();
  running server;

  explicit fixture(corbel::server_limits limits = {}, std::chrono::milliseconds drain_timeout = 5s)
      : server([this](corbel::route_group root) { wire_up(root); }, limits, 1, drain_timeout) {}

  void wire_up(corbel::route_group root) {
    root.use(seer{"root", seen});
    auto group = root.group("/g");
    group.use(surrounding{seen});
    group.use(seer{"inner", seen});
    group.get("/plain", &plain);
    group.get("/throws", &throwing);
    group.post("/plain", &plain).body_limit(10);
    group.get("/forever", &forever);
    group.get("/hasty", &forever).time_limit(50ms);
    root.get("/at-once", &plain);
    root.post("/at-once", [](const request& in) { return std::string(in.body()); }).body_limit(10);
  }

  wire::reply ask(const std::string& bytes) { return wire::client(server.port()).ask(bytes).value(); }
};

using sights = std::vector<std::string>;

}  // namespace

TEST_CASE("what a handler answers passes all layers of its route, from the inside out") {
  fixture f;
  CHECK(f.ask(wire::get("/g/plain")).body == "plain");
  CHECK(f.seen->take() == sights{"inner 200", "around 200", "root 200"});
  CHECK(f.ask(wire::get("/g/throws")).code == 500);
  CHECK(f.seen->take() == sights{"inner 500", "around 500", "root 500"});
  CHECK(f.ask(wire::get("/at-once")).body == "plain");
  CHECK(f.seen->take() == sights{"root 200"});
}

TEST_CASE("what a layer answers passes that layer and those outside it") {
  fixture f;
  CHECK(f.ask(wire::get("/g/plain", "Stop: root\r\n")).code == 403);
  CHECK(f.seen->take() == sights{"root 403"});
  CHECK(f.ask(wire::get("/at-once", "Stop: root\r\n")).code == 403);
  CHECK(f.seen->take() == sights{"root 403"});
  CHECK(f.ask(wire::get("/g/plain", "Stop: around\r\n")).code == 403);
  CHECK(f.seen->take() == sights{"around 403", "root 403"});
  CHECK(f.ask(wire::get("/g/plain", "Keep: yes\r\n")).body == "kept");
  CHECK(f.seen->take() == sights{"around 202", "root 202"});
  CHECK(f.ask(wire::get("/g/plain", "Stop: inner\r\n")).code == 403);
  CHECK(f.seen->take() == sights{"inner 403", "around 403", "root 403"});
}

TEST_CASE("a request that cannot be read, or has no route, passes the root's layers") {
  fixture f;
  CHECK(f.ask("GET /g/plain HTTP/1.1\r\nHost: a\r\nBad Field: x\r\n\r\n").code == 400);
  CHECK(f.seen->take() == sights{"root 400"});
  CHECK(f.ask(wire::get("/g/nothing")).code == 404);
  CHECK(f.seen->take() == sights{"root 404"});
  const auto wrong = f.ask("DELETE /g/plain HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(wrong.code == 405);
  CHECK(wrong.header("Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(f.seen->take() == sights{"root 405"});
  const auto asked =
      f.ask("DELETE /g/plain HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(asked.code == 405);
  CHECK(asked.header("Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(f.seen->take() == sights{"root 405"});
}

TEST_CASE("a body that is too long for a route passes the layers of that route, but no around") {
  fixture f;
  const std::string much(20, 'x');
  sights expected{"inner 413", "around 413", "root 413"};
  std::string path = "/g/plain";
  SUBCASE("behind a layer that waits") {}
  SUBCASE("where nothing waits") {
    path = "/at-once";
    expected = {"root 413"};
  }
  // All there with its head; announced; in chunks.
  const auto whole = f.ask(wire::post(path, much));
  CHECK(whole.code == 413);
  CHECK(whole.header("X-root") == "laid");
  CHECK(f.seen->take() == expected);
  CHECK(f.ask("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx").code == 413);
  CHECK(f.seen->take() == expected);
  CHECK(f.ask(wire::chunked(path, {much})).code == 413);
  CHECK(f.seen->take() == expected);
  CHECK(f.seen->counted("around entered") == 0);
}

TEST_CASE("a handler that takes too long is seen once, with the answer that the client had") {
  fixture f;
  {
    wire::client c(f.server.port());
    const auto reply = c.ask(wire::get("/g/hasty")).value();
    CHECK(reply.code == 503);
    CHECK(reply.error_code() == "handler_timeout");
    // What the layers had laid stands, that of one behind an around too.
    CHECK(reply.header("X-root") == "laid");
    CHECK(reply.header("X-inner") == "laid");
  }
  CHECK(f.ask(wire::get("/at-once")).code == 200);  // the cancelled handler has ended by now, or soon does
  CHECK(eventually([&] { return f.seen->counted("around left") == 1; }));
  CHECK(f.ask(wire::get("/at-once")).code == 200);
  const auto all = f.seen->take();
  CHECK(all == sights{"inner 503", "around 503", "root 503", "root 200", "root 200"});
  CHECK(f.seen->counted("inner before") == 1);
  CHECK(f.seen->counted("around before") == 1);
}

TEST_CASE("a client that leaves is seen once, as one who left") {
  fixture f;
  {
    wire::client c(f.server.port());
    REQUIRE(c.send(wire::get("/g/forever")));
    CHECK(eventually([&] { return f.seen->counted("inner before") == 1; }));
    c.reset();
  }
  CHECK(eventually([&] { return f.seen->size() == 3; }));
  CHECK(f.ask(wire::get("/at-once")).code == 200);
  CHECK(f.seen->take() == sights{"inner 499", "around 499", "root 499", "root 200"});
}

TEST_CASE("a drain that is out of patience is seen once") {
  auto f = std::make_unique<fixture>(corbel::server_limits{}, 100ms);
  wire::client c(f->server.port());
  REQUIRE(c.send(wire::get("/g/forever")));
  CHECK(eventually([&] { return f->seen->counted("inner before") == 1; }));
  f->server.drain();
  const auto reply = c.read();
  REQUIRE(reply);
  CHECK(reply->code == 503);
  CHECK(reply->error_code() == "shutting_down");
  const auto seen = f->seen;
  f.reset();
  CHECK(seen->take() == sights{"inner 503", "around 503", "root 503"});
}
