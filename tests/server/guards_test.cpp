// Guards decide from the head: before the body is received, before the layers are entered.

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <thread>

#include "corbel/routing/body_stream.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using corbel::request;
using corbel::response;
using corbel::result;
using corbel::task;

corbel::error who_are_you() {
  return corbel::error(corbel::error_kind::unauthenticated, "unauthenticated", "Say who you are.")
      .header("WWW-Authenticate", "Bearer");
}

/// Known at once.
struct badge {
  std::string name;
};

/// It keeps a view into the head, which lives as long as the request.
struct viewer {
  std::string_view name;
};

/// Asked of something that takes time.
struct member {
  std::string name;
};

std::atomic<int> asked{0};

result<std::string> name_of(const request& in) {
  ++asked;
  CHECK(in.body().empty());
  const auto name = in.header("X-User");
  if (!name) return who_are_you();
  if (*name == "thrown") throw std::runtime_error("the store is broken");
  return std::string(*name);
}

}  // namespace

template <>
struct corbel::extractor<badge> {
  static constexpr bool guards = true;
  static result<badge> extract(const request& in) {
    auto name = name_of(in);
    if (!name) return std::move(name).error();
    return badge{std::move(*name)};
  }
};

template <>
struct corbel::extractor<viewer> {
  static constexpr bool guards = true;
  static result<viewer> extract(const request& in) {
    if (const auto name = in.header("X-User")) return viewer{*name};
    return who_are_you();
  }
};

template <>
struct corbel::extractor<member> {
  static constexpr bool guards = true;
  static task<result<member>> extract(request& in) {
    // "waits": a little; "hangs": for ever; otherwise the task does not wait at all.
    const auto how = in.header("X-How").value_or("");
    if (!how.empty()) {
      asio::steady_timer timer(co_await asio::this_coro::executor, how == "hangs" ? 600'000ms : 20ms);
      co_await timer.async_wait(asio::use_awaitable);
    }
    auto name = name_of(in);
    if (!name) co_return std::move(name).error();
    member made{std::move(*name)};
    co_return made;
  }
};

namespace {

template <class Who>
std::string store(Who who, const request& in) {
  return std::string(who.name) + ' ' + std::to_string(in.body().size());
}

task<std::string> store_later(viewer who, const request& in) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
  co_await timer.async_wait(asio::use_awaitable);
  co_return store(who, in);
}

template <class Who>
task<std::string> store_stream(Who who, corbel::body_stream body) {
  const auto all = co_await body.read_all();
  co_return who.name + ' ' + std::to_string(all.size());
}

std::atomic<int> cancelled{0};

task<std::string> slow(member who) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 10min);
  try {
    co_await timer.async_wait(asio::use_awaitable);
  } catch (const boost::system::system_error&) {
    ++cancelled;
    throw;
  }
  co_return who.name;
}

struct layer_guard {
  result<void> guard(request& in) const {
    if (in.header("X-User")) return {};
    return who_are_you();
  }
};

struct waiting_layer_guard {
  task<result<void>> guard(request& in) const { return ask(in.header("X-User").has_value()); }
  static task<result<void>> ask(bool known) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (!known) co_return who_are_you();
    co_return result<void>{};
  }
};

/// The statuses that the layers have seen.
struct statuses {
  std::atomic<int> last{0};
  std::atomic<int> count{0};
};
struct seer {
  std::shared_ptr<statuses> seen;
  void after(const request&, response& out) const {
    seen->last = static_cast<int>(out.status());
    ++seen->count;
  }
};

struct fixture {
  std::shared_ptr<statuses> seen = std::make_shared<statuses>();
  running server;

  explicit fixture(corbel::server_limits limits = {})
      : server(
            [this](corbel::route_group root) {
              root.use(seer{seen});
              root.post("/view", &store<viewer>);
              root.post("/view-later", &store_later);
              root.post("/hasty-stream", &store_stream<member>).time_limit(300ms);
              root.post("/badge", &store<badge>);
              root.post("/member", &store<member>);
              root.post("/badge-stream", &store_stream<badge>);
              root.post("/member-stream", &store_stream<member>);
              root.post("/hasty", &store<member>).time_limit(50ms);
              root.post("/slow", &slow);
              root.get("/free", [] { return std::string("free"); });
              auto group = root.group("/group");
              group.use(layer_guard{});
              group.post("/x", [](const request& in) { return std::to_string(in.body().size()); });
              auto waiting = root.group("/waiting");
              waiting.use(waiting_layer_guard{});
              waiting.post("/x", [](const request& in) { return std::to_string(in.body().size()); });
              waiting.get("/both", [](badge who) { return who.name; });
            },
            limits) {
    asked = 0;
  }
};

void check_told_to_send(wire::client& c) {
  std::string line(25, ' ');
  std::size_t have = 0;
  while (have < line.size()) {
    const auto n = ::recv(c.fd(), line.data() + have, line.size() - have, 0);
    REQUIRE(n > 0);
    have += static_cast<std::size_t>(n);
  }
  CHECK(line == "HTTP/1.1 100 Continue\r\n\r\n");
}

std::string head_of(std::string_view path, std::string_view fields) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

const std::vector<std::string> guarded_paths{"/badge",         "/member",  "/badge-stream",
                                             "/member-stream", "/group/x", "/waiting/x"};

}  // namespace

TEST_CASE("who is refused by a guard is told so before the upload has been received") {
  fixture f;
  for (const auto& path : guarded_paths) {
    CAPTURE(path);
    for (const auto* fields : {"Content-Length: 500000\r\n", "Transfer-Encoding: chunked\r\n",
                               "Content-Length: 500000\r\nExpect: 100-continue\r\n"}) {
      CAPTURE(fields);
      wire::client c(f.server.port());
      const auto reply = c.ask(head_of(path, fields));
      REQUIRE(reply);
      CHECK(reply->code == 401);
      CHECK(reply->error_code() == "unauthenticated");
      CHECK(reply->header("WWW-Authenticate") == "Bearer");
      CHECK(c.interim == 0);
      CHECK(c.ends());
    }
  }
}

TEST_CASE("a short body that is refused does not cost the connection") {
  fixture f;
  for (const auto& path : guarded_paths) {
    if (path.ends_with("stream")) continue;  // whose bodies are not received by the server
    CAPTURE(path);
    wire::client c(f.server.port());
    CHECK(c.ask(wire::post(path, "words")).value().code == 401);
    // In two pieces.
    REQUIRE(c.send(head_of(path, "Content-Length: 10\r\n") + "01234"));
    REQUIRE(c.send("56789"));
    CHECK(c.read().value().code == 401);
    CHECK(c.ask(wire::get("/free")).value().body == "free");
  }
}

TEST_CASE("behind its guards a request has its body, and its handler what they found") {
  fixture f;
  for (const auto& path : guarded_paths) {
    for (const std::string how : {"", "X-How: waits\r\n"}) {
      CAPTURE(path);
      CAPTURE(how);
      const std::string fields = "X-User: ann\r\n" + how;
      const bool named = path[1] == 'b' || path[1] == 'm';
      wire::client c(f.server.port());
      asked = 0;
      // All at once, twice.
      const auto one = head_of(path, fields + "Content-Length: 5\r\n") + "words";
      REQUIRE(c.send(one + one));
      CHECK(c.read().value().body == (named ? "ann 5" : "5"));
      CHECK(c.read().value().body == (named ? "ann 5" : "5"));
      // In pieces.
      REQUIRE(c.send(head_of(path, fields + "Content-Length: 200000\r\n")));
      REQUIRE(c.send(std::string(100'000, 'x')));
      REQUIRE(c.send(std::string(100'000, 'y')));
      CHECK(c.read().value().body == (named ? "ann 200000" : "200000"));
      // Asked for.
      REQUIRE(c.send(head_of(path, fields + "Content-Length: 3\r\nExpect: 100-continue\r\n")));
      REQUIRE(c.send("abc"));
      CHECK(c.read().value().body == (named ? "ann 3" : "3"));
      // In chunks.
      REQUIRE(c.send(head_of(path, fields + "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n"));
      REQUIRE(c.send("2\r\nde\r\n0\r\n\r\n"));
      CHECK(c.read().value().body == (named ? "ann 5" : "5"));
      if (named) CHECK(asked == 5);  // once for each request
      CHECK(c.ask(wire::get("/free")).value().body == "free");
    }
  }
}

TEST_CASE("a client that asks before it sends is told to, once its guards have let it pass") {
  fixture f;
  for (const std::string path : {"/badge", "/member"}) {
    for (const std::string how : {"", "X-How: waits\r\n"}) {
      CAPTURE(path);
      wire::client c(f.server.port());
      REQUIRE(c.send(head_of(path, "X-User: ann\r\nContent-Length: 3\r\nExpect: 100-continue\r\n" + how)));
      check_told_to_send(c);
      REQUIRE(c.send("abc"));
      CHECK(c.read().value().body == "ann 3");
    }
  }
}

TEST_CASE("a client that asks in two pieces is told to send, too") {
  fixture f;
  for (const std::string path : {"/badge", "/member"}) {
    CAPTURE(path);
    const auto head = head_of(path, "X-User: ann\r\nContent-Length: 3\r\nExpect: 100-continue\r\n");
    wire::client c(f.server.port());
    REQUIRE(c.send(head.substr(0, 20)));
    std::this_thread::sleep_for(20ms);
    REQUIRE(c.send(head.substr(20)));
    check_told_to_send(c);
    REQUIRE(c.send("abc"));
    CHECK(c.read().value().body == "ann 3");
  }
}

TEST_CASE("a handler behind guards that did not have to wait is cancelled like any other") {
  fixture f;
  const auto request =
      head_of("/slow", "X-User: ann\r\nTransfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n";
  for (int i = 0; i < 5; ++i) {
    cancelled = 0;
    {
      wire::client c(f.server.port());
      asked = 0;
      REQUIRE(c.send(request));
      CHECK(eventually([] { return asked == 1; }));
      CHECK(wire::client(f.server.port()).ask(wire::get("/free")).value().body == "free");
      c.reset();
    }
    CHECK(eventually([] { return cancelled == 1; }));
  }
}

TEST_CASE("requests that follow one whose guards wait keep their order") {
  fixture f;
  wire::client c(f.server.port());
  std::string all;
  for (int i = 0; i < 20; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 1000, 'x');
    all += head_of("/member", "X-User: u" + std::to_string(i) + "\r\nX-How: waits\r\nContent-Length: " +
                                  std::to_string(body.size()) + "\r\n") +
           body;
  }
  REQUIRE(c.send(all));
  for (int i = 0; i < 20; ++i)
    CHECK(c.read().value().body == "u" + std::to_string(i) + ' ' + std::to_string(i * 1000));
}

TEST_CASE("a guard that throws is a surprise, and one that hangs is given up") {
  fixture f;
  for (const std::string path : {"/badge", "/member"}) {
    CHECK(wire::client(f.server.port())
              .ask(head_of(path, "X-User: thrown\r\nContent-Length: 3\r\n") + "abc")
              .value()
              .code == 500);
    CHECK(wire::client(f.server.port())
              .ask(head_of(path, "X-User: thrown\r\nContent-Length: 300000\r\n"))
              .value()
              .code == 500);
  }
  for (const auto* size : {"3\r\n", "300000\r\n"}) {
    wire::client c(f.server.port());
    REQUIRE(c.send(head_of("/hasty", "X-User: ann\r\nX-How: hangs\r\nContent-Length: " + std::string(size)) +
                   "abc"));
    const auto reply = c.read();
    REQUIRE(reply);
    CHECK(reply->code == 503);
    CHECK(reply->error_code() == "handler_timeout");
    CHECK(c.ends());
  }
}

TEST_CASE("a client that leaves while guards wait is seen once, as one who left") {
  fixture f;
  for (const std::string path : {"/member", "/member-stream"})
    for (const auto* size : {"3\r\n", "300000\r\n"}) {
      CAPTURE(path);
      f.seen->count = 0;
      {
        wire::client c(f.server.port());
        REQUIRE(c.send(head_of(path, "X-User: ann\r\nX-How: hangs\r\nContent-Length: " + std::string(size)) +
                       "abc"));
        CHECK(wire::client(f.server.port()).ask(wire::get("/free")).value().body == "free");
        CHECK(f.seen->count == 1);
        c.reset();
      }
      CHECK(eventually([&] { return f.seen->count == 2; }));
      CHECK(f.seen->last == 499);
      CHECK(wire::client(f.server.port()).ask(wire::get("/free")).value().body == "free");
      CHECK(f.seen->count == 3);
    }
}

TEST_CASE("a body that trickles gives a guard no more time") {
  fixture f;
  wire::client c(f.server.port());
  REQUIRE(c.send(head_of("/hasty-stream", "X-User: ann\r\nX-How: hangs\r\nContent-Length: 300000\r\n")));
  // It is given up behind 300 ms, however much has come by then; a minute of pieces would be 600 of them.
  int pieces = 0;
  while (f.seen->count == 0 && ++pieces < 600) {
    std::this_thread::sleep_for(100ms);
    (void)c.send("x");
  }
  CHECK(f.seen->count == 1);
  CHECK(f.seen->last == 503);
}

TEST_CASE("what a guard keeps of the head holds while the body is awaited, and while the handler waits") {
  fixture f;
  const std::string name(100, 'n');
  for (const std::string path : {"/view", "/view-later"}) {
    CAPTURE(path);
    wire::client c(f.server.port());
    REQUIRE(c.send(head_of(path, "X-User: " + name + "\r\nContent-Length: 6\r\n") + "abc"));
    // Others, which the same buffer receives.
    for (int i = 0; i < 5; ++i)
      CHECK(
          wire::client(f.server.port())
              .ask(head_of("/view", "X-User: " + std::string(300, 'o') + "\r\nContent-Length: 3\r\n") + "abc")
              .value()
              .code == 200);
    REQUIRE(c.send("def"));
    CHECK(c.read().value().body == name + " 6");
    // All at once, with another one behind it.
    const auto other =
        head_of("/view", "X-User: " + std::string(100, 'o') + "\r\nContent-Length: 3\r\n") + "abc";
    REQUIRE(c.send(head_of(path, "X-User: " + name + "\r\nContent-Length: 3\r\n") + "abc" + other));
    CHECK(c.read().value().body == name + " 3");
    CHECK(c.read().value().body == std::string(100, 'o') + " 3");
  }
}

TEST_CASE("a body that is longer than the route takes is refused behind the guards") {
  fixture f;
  for (const auto& path : guarded_paths) {
    CAPTURE(path);
    const std::string size = "Content-Length: 50000000\r\n";
    CHECK(wire::client(f.server.port()).ask(head_of(path, size)).value().code == 401);
    CHECK(wire::client(f.server.port()).ask(head_of(path, size + "X-User: ann\r\n")).value().code == 413);
  }
}

TEST_CASE("a browser's preflight is not guarded, and neither is what is not there") {
  fixture f;
  wire::client c(f.server.port());
  CHECK(c.ask("OPTIONS /group/x HTTP/1.1\r\nHost: a\r\n\r\n").value().code == 204);
  CHECK(c.ask("GET /group/x HTTP/1.1\r\nHost: a\r\n\r\n").value().code == 405);
  CHECK(c.ask("GET /group/y HTTP/1.1\r\nHost: a\r\n\r\n").value().code == 404);
  CHECK(c.ask(wire::get("/waiting/both")).value().code == 401);
  CHECK(c.ask(wire::get("/waiting/both", "X-User: bob\r\n")).value().body == "bob");
}
