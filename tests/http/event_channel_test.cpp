#include "corbel/http/event_channel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include "http/event_reader.hpp"

namespace {

using namespace corbel;
using namespace std::chrono_literals;

struct kept_body final : body_sink {
  task<> write(std::string_view bytes) override {
    client.feed(bytes);
    if (pause) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1ms);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }
  events::reader client;
  bool pause = false;
};

std::vector<std::string> data_of(const events::reader& client) {
  std::vector<std::string> all;
  for (const auto& each : client.all)
    all.push_back(each.event == "message" ? each.data : each.event + each.data);
  return all;
}
using texts = std::vector<std::string>;

/// What a subscriber gets that comes with this id, until the channel closes.
texts given(event_channel& from, last_event_id last) {
  kept_body to;
  boost::asio::io_context loop;
  auto body = event_stream(from.subscribe(last)).body();
  boost::asio::co_spawn(loop, body.produce(to), [](std::exception_ptr failed) { CHECK(!failed); });
  boost::asio::post(loop, [&] { from.close(); });
  loop.run();
  return data_of(to.client);
}

}  // namespace

TEST_CASE("a history keeps the newest, by count and by bytes") {
  event_history kept(3, 1000);
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(kept.add(std::to_string(i)));
  CHECK(kept.size() == 3);
  const auto read = [&](const std::optional<std::string>& id) {
    auto at = kept.find(id);
    std::string text;
    kept.read(at, text, 1 << 20);
    events::reader client;
    client.feed(text);
    std::string all = at.missed ? std::to_string(*at.missed) + ':' : "?:";
    for (const auto& each : client.all) all += each.data;
    return all;
  };
  CHECK(read({}) == "0:");
  CHECK(read("") == "0:");
  CHECK(read(ids[4]) == "0:");
  CHECK(read(ids[3]) == "0:4");
  CHECK(read(ids[1]) == "0:234");
  CHECK(read(ids[0]) == "1:234");
  CHECK(read(event_history(1, 1).add("x")) == "?:234");  // of another run
  const auto run = ids[0].substr(0, ids[0].find('-'));
  for (const auto* strange : {"", "-", "-6", "-99999999999999999999999", "-1x", "--1", "-+1"}) {
    CAPTURE(strange);
    CHECK(read(run + strange) == "?:234");
  }
  CHECK(read("nonsense") == "?:234");

  (void)kept.add(std::string(900, 'x'));
  CHECK(kept.bytes() <= 1000);
  (void)kept.add(std::string(5000, 'y'));
  CHECK(kept.size() == 1);
  CHECK_THROWS_AS(kept.add(server_event().id("mine")), std::invalid_argument);
  CHECK_THROWS_AS(kept.add(server_event().event("a\nb")), std::invalid_argument);
}

TEST_CASE("reading in small batches gives the same") {
  event_history kept(100, 100'000);
  for (int i = 0; i < 50; ++i) (void)kept.add(std::to_string(i));
  event_history::position at{1, 0};
  std::string all;
  int rounds = 0;
  for (std::string some = "x"; !some.empty(); ++rounds) {
    some.clear();
    kept.read(at, some, 100);
    all += some;
  }
  events::reader client;
  client.feed(all);
  CHECK(client.all.size() == 50);
  CHECK(rounds > 10);
}

TEST_CASE("who comes back gets what it missed") {
  event_channel news({.events = 4});
  std::vector<std::string> ids;
  for (const auto* each : {"a", "b", "c", "d", "e"}) ids.push_back(news.publish(each));
  SUBCASE("new") {
    CHECK(given(news, {}) == texts{});
  }
  SUBCASE("back") {
    CHECK(given(news, last_event_id(ids[2])) == texts{"d", "e"});
  }
  SUBCASE("back late") {
    CHECK(given(news, last_event_id(ids[0])) == texts{"b", "c", "d", "e"});
  }
  SUBCASE("back too late") {
    (void)news.publish("f");
    CHECK(given(news, last_event_id(ids[0])) == texts{R"(missed{"count":1})", "c", "d", "e", "f"});
  }
  SUBCASE("from another life") {
    CHECK(given(news, last_event_id("0-7")) == texts{R"(missed{"count":null})", "b", "c", "d", "e"});
  }
}

TEST_CASE("a slow subscriber skips or is closed, as the channel says") {
  for (const auto how : {slow_subscriber::skip, slow_subscriber::close}) {
    event_channel news({.events = 3, .slow = how});
    kept_body to;
    to.pause = true;
    boost::asio::io_context loop;
    auto body = event_stream(news.subscribe()).body();
    bool ended = false;
    boost::asio::co_spawn(loop, body.produce(to), [&](std::exception_ptr failed) {
      CHECK(!failed);
      ended = true;
    });
    (void)news.publish("first");
    while (to.client.all.empty()) loop.run_one();
    for (int i = 0; i < 10; ++i) (void)news.publish(std::to_string(i));
    if (how == slow_subscriber::close) {
      loop.run();
      CHECK(ended);
      CHECK(data_of(to.client) == texts{"first"});
    } else {
      news.close();
      loop.run();
      CHECK(data_of(to.client) == texts{"first", R"(missed{"count":7})", "7", "8", "9"});
    }
  }
}

TEST_CASE("a channel's end ends its streams, and subscriptions may outlive it") {
  auto news = std::make_unique<event_channel>();
  CHECK(news->subscribers() == 0);
  auto one = std::make_unique<event_subscription>(news->subscribe());
  auto two = event_subscription(std::move(*one));
  CHECK(news->subscribers() == 1);
  one.reset();
  CHECK(news->subscribers() == 1);
  (void)news->publish("last");
  news.reset();
  kept_body to;
  boost::asio::io_context loop;
  auto body = event_stream(std::move(two)).body();
  boost::asio::co_spawn(loop, body.produce(to), [](std::exception_ptr failed) { CHECK(!failed); });
  loop.run();
  CHECK(data_of(to.client) == texts{"last"});
}

TEST_CASE("every subscriber on every loop gets every event, in order, whoever publishes") {
  constexpr int loops = 3;
  constexpr int each_loop = 5;
  constexpr int publishers = 2;
  constexpr int events = 500;
  event_channel news({.events = 10'000, .bytes = 10u << 20});
  struct subscriber {
    kept_body to;
    streamed_body body;
    boost::asio::cancellation_signal cancel;
  };
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts;
  std::vector<std::unique_ptr<subscriber>> all;
  std::atomic<int> failed = 0;
  std::latch left(loops);
  for (int i = 0; i < loops; ++i) {
    auto& loop = *contexts.emplace_back(std::make_unique<boost::asio::io_context>(1));
    for (int k = 0; k <= each_loop; ++k) {
      auto& one = *all.emplace_back(std::make_unique<subscriber>());
      one.to.pause = k == 1;
      one.body = event_stream(news.subscribe()).heartbeat(1ms).body();
      boost::asio::co_spawn(loop, one.body.produce(one.to),
                            boost::asio::bind_cancellation_slot(
                                one.cancel.slot(), [&, leaves = k == each_loop](std::exception_ptr thrown) {
                                  failed += thrown != nullptr;
                                  if (leaves) left.count_down();
                                }));
    }
    // One of each loop leaves in the middle: the publishers wait for it there.
    auto* const leaver = all.back().get();
    boost::asio::post(loop, [&loop, leaver] {
      auto timer = std::make_shared<boost::asio::steady_timer>(loop, 3ms);
      timer->async_wait(
          [leaver, timer](auto) { leaver->cancel.emit(boost::asio::cancellation_type::terminal); });
    });
  }
  std::vector<std::thread> threads;
  for (auto& context : contexts) threads.emplace_back([&loop = *context] { loop.run(); });
  std::vector<std::thread> sources;
  for (int p = 0; p < publishers; ++p)
    sources.emplace_back([&news, &left, p] {
      for (int i = 0; i < events; ++i) {
        (void)news.publish(server_event(std::to_string(i)).event(std::to_string(p)));
        if (i % 50 == 0) std::this_thread::sleep_for(1ms);
        if (i == events / 2) left.wait();
      }
    });
  for (auto& each : sources) each.join();
  news.close();
  for (auto& each : threads) each.join();
  CHECK(failed == loops);
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (n % (each_loop + 1) == each_loop) continue;
    int next[publishers] = {};
    for (const auto& seen : all[n]->to.client.all) {
      const int p = seen.event == "0" ? 0 : 1;
      if (seen.data == std::to_string(next[p])) ++next[p];
    }
    CHECK(next[0] == events);
    CHECK(next[1] == events);
    CHECK(all[n]->to.client.all.size() == publishers * events);
  }
  all.clear();
  CHECK(news.subscribers() == 0);
}
