#include "corbel/http/event_stream.hpp"

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <stdexcept>

#include "http/event_reader.hpp"

namespace {

using namespace corbel;
using namespace std::chrono_literals;
using namespace std::string_literals;

std::string wire(const server_event& e) {
  std::string text;
  append_event(text, e);
  return text;
}

/// A body that keeps what it is given; it may be slow, or its client gone.
struct test_body final : body_sink {
  task<> write(std::string_view bytes) override {
    CHECK(!busy);
    busy = true;
    if (gone) {
      busy = false;
      throw failure(client_gone());
    }
    const std::string mine(bytes);
    if (slow.count() > 0) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, slow);
      try {
        co_await timer.async_wait(boost::asio::use_awaitable);
      } catch (...) {
        busy = false;
        throw;
      }
    }
    all += mine;
    busy = false;
  }
  task<> flush() override {
    ++flushes;
    co_return;
  }
  std::string all;
  int flushes = 0;
  bool busy = false;
  bool gone = false;
  std::chrono::milliseconds slow{0};
};

struct tally {
  int alive = 0;
  int cancelled = 0;
};
/// Counts who is alive: copies and moves too.
struct counted {
  explicit counted(tally& t) : of(&t) { ++of->alive; }
  counted(const counted& other) : of(other.of) { ++of->alive; }
  counted& operator=(const counted&) = delete;
  ~counted() { --of->alive; }
  tally* of;
};

struct run {
  std::string thrown;  ///< what() of what ended it; empty when it ended well
};
run serve(
    event_stream stream, test_body& to,
    const std::function<void(boost::asio::io_context&, boost::asio::cancellation_signal&)>& meanwhile = {}) {
  boost::asio::io_context loop;
  boost::asio::cancellation_signal cancel;
  run made;
  auto body = stream.body();
  CHECK(body.endless);
  boost::asio::co_spawn(loop, body.produce(to),
                        boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failed) {
                          try {
                            if (failed) std::rethrow_exception(failed);
                          } catch (const failure& f) {
                            made.thrown = f.error().code();
                          } catch (const std::exception& e) {
                            made.thrown = e.what();
                          }
                        }));
  if (meanwhile) meanwhile(loop, cancel);
  loop.run();
  return made;
}

/// Waits for ever, and says when it was cancelled.
task<> wait_for_ever(counted mine) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1h);
  try {
    co_await timer.async_wait(boost::asio::use_awaitable);
  } catch (...) {
    ++mine.of->cancelled;
    throw;
  }
}

struct price {
  std::string name;
  double value = 0;
};
constexpr auto describe(tag<price>) {
  using namespace corbel::rules;
  return object(field("name", &price::name), field("value", &price::value));
}

}  // namespace

TEST_CASE("an event has one form on the wire") {
  CHECK(wire("hello") == "data: hello\n\n");
  CHECK(wire("") == "data: \n\n");
  CHECK(wire("a\nb\r\nc\rd\n") == "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
  CHECK(wire(" x: y") == "data:  x: y\n\n");
  CHECK(wire(server_event("1").id("7").event("price").retry(1500ms)) ==
        "event: price\nid: 7\nretry: 1500\ndata: 1\n\n");
  CHECK(wire(server_event().id("")) == "id: \n\n");
  CHECK(wire(server_event().retry(0ms)) == "retry: 0\n\n");
  CHECK(wire(server_event()) == "\n");
  std::string text;
  append_comment(text, "two\nlines");
  CHECK(text == ": two\n: lines\n\n");
}

TEST_CASE("what would break the stream is refused") {
  for (const auto& bad : {"a\nb"s, "a\rb"s, "a\0b"s, "\n"s}) {
    CHECK_THROWS_AS(wire(server_event().id(bad)), std::invalid_argument);
    CHECK_THROWS_AS(wire(server_event().event(bad)), std::invalid_argument);
  }
  CHECK_THROWS_AS(wire(server_event().retry(-1ms)), std::invalid_argument);
}

TEST_CASE("a client reads what was sent, whatever it was") {
  const std::uint32_t seed = 9261;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto text = [&](std::string_view alphabet) {
    std::string made;
    for (auto n = random() % 12; n > 0; --n) made += alphabet[random() % alphabet.size()];
    return made;
  };
  const auto joined = [](const std::string& sent) {
    std::string lines;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (sent[i] == '\r' && i + 1 < sent.size() && sent[i + 1] == '\n') continue;
      lines += sent[i] == '\r' ? '\n' : sent[i];
    }
    return lines;
  };
  constexpr std::string_view any("a: \r\n\0:dit\xc3\xa4", 13);
  constexpr std::string_view line(" a:idevnt\xc3\xa4", 11);
  std::string stream;
  std::vector<events::seen> expected;
  std::string last;
  for (int i = 0; i < 3000; ++i) {
    server_event e;
    if (random() % 2) e.data(text(any));
    if (random() % 2) e.event(text(line));
    if (random() % 3 == 0) e.id(text(line));
    if (random() % 5 == 0) append_comment(stream, text(any));
    append_event(stream, e);
    if (e.id()) last = *e.id();
    if (e.data()) expected.push_back({e.event().empty() ? "message" : e.event(), joined(*e.data()), last});
  }
  events::reader client;
  for (std::string_view left = stream; !left.empty();) {
    const auto n = std::min<std::size_t>(1 + random() % 40, left.size());
    client.feed(left.substr(0, n));
    left.remove_prefix(n);
  }
  CHECK((client.all == expected));
  CHECK(client.last_id == last);
}

TEST_CASE("a producer's events go out one by one") {
  test_body to;
  auto produce = [](event_sink& out) -> task<> {
    co_await out.send(server_event("one").id("1"));
    const price tea{"tea", 2.5};
    co_await out.send_json(tea, server_event().event("price"));
    co_await out.comment("note");
  };
  CHECK(serve(event_stream(produce).retry(2s), to).thrown == "");
  CHECK(to.flushes == 4);
  events::reader client;
  client.feed(to.all);
  CHECK(client.all ==
        std::vector<events::seen>{{"message", "one", "1"}, {"price", R"({"name":"tea","value":2.5})", "1"}});
  CHECK(client.retry == "2000");
}

TEST_CASE("silence is filled by a heartbeat, and news need none") {
  test_body to;
  auto produce = [](event_sink& out) -> task<> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 10; ++i) {
      timer.expires_after(5ms);
      co_await timer.async_wait(boost::asio::use_awaitable);
      co_await out.send("x");
    }
    timer.expires_after(100ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
  };
  CHECK(serve(event_stream(produce).heartbeat(20ms), to).thrown == "");
  events::reader client;
  client.feed(to.all);
  CHECK(client.all.size() == 10);
  CHECK(client.comments.size() >= 2);
  const auto last_news = to.all.rfind("data");
  CHECK(to.all.find(":\n\n", last_news) != std::string::npos);
}

TEST_CASE("a heartbeat and an event never write at once") {
  test_body to;
  to.slow = 4ms;
  auto produce = [](event_sink& out) -> task<> {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    for (int i = 0; i < 20; ++i) {
      co_await out.send(std::to_string(i));
      timer.expires_after(std::chrono::milliseconds(i % 7));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  };
  CHECK(serve(event_stream(produce).heartbeat(3ms), to).thrown == "");
  events::reader client;
  client.feed(to.all);
  CHECK(client.all.size() == 20);
}

TEST_CASE("a client that vanished is found by the heartbeat, and its producer cancelled") {
  test_body to;
  tally count;
  auto produce = [mine = counted(count)](event_sink& out) -> task<> {
    co_await out.send("x");
    co_await wait_for_ever(mine);
  };
  const auto made =
      serve(event_stream(std::move(produce)).heartbeat(5ms), to, [&](boost::asio::io_context& loop, auto&) {
        while (to.all.find("data") == std::string::npos) loop.run_one();
        to.gone = true;
      });
  CHECK(made.thrown == "client_gone");
  CHECK(count.cancelled == 1);
}

TEST_CASE("cancelling the stream cancels producer and heartbeat, and leaves nothing") {
  for (const auto heartbeat : {0ms, 1ms, 15'000ms}) {
    test_body to;
    tally count;
    {
      auto produce = [mine = counted(count)](event_sink&) -> task<> { co_await wait_for_ever(mine); };
      const auto made = serve(event_stream(std::move(produce)).heartbeat(heartbeat), to,
                              [&](boost::asio::io_context& loop, boost::asio::cancellation_signal& cancel) {
                                loop.run_for(5ms);
                                cancel.emit(boost::asio::cancellation_type::terminal);
                              });
      CHECK(made.thrown != "");
      CHECK(count.cancelled == 1);
    }
    CHECK(count.alive == 0);
  }
}

TEST_CASE("what a producer throws comes out, and its heartbeat ends") {
  test_body to;
  auto produce = [](event_sink& out) -> task<> {
    co_await out.send("x");
    throw std::runtime_error("no more");
  };
  CHECK(serve(event_stream(produce), to).thrown == "no more");
  auto wrong = [](event_sink& out) -> task<> { co_await out.send(server_event().event("a\nb")); };
  CHECK(serve(event_stream(wrong), to).thrown.find("line end") != std::string::npos);
}
