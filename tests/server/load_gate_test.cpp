#include "server/load_gate.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <queue>
#include <random>
#include <vector>

using namespace std::chrono_literals;
using corbel::gate_pass;
using corbel::route_load;

namespace {

using duration = route_load::duration;
using instant = route_load::clock::time_point;

/// Requests that arrive at random and queue for a resource of limited concurrency, in simulated time.
class resource {
 public:
  resource(int places, duration each) : places_(places), each_(each) {}

  struct outcome {
    int asked = 0;
    int shed = 0;
    int in_time = 0;  ///< answered within a second
    duration longest{};
  };

  /// `rate` a second, for `time`.
  outcome run(double rate, duration time) {
    outcome seen;
    std::exponential_distribution<double> gap(rate);
    const auto wait = [&] {
      return std::chrono::duration_cast<duration>(std::chrono::duration<double>(gap(random_)));
    };
    const auto end = now_ + time;
    for (auto next = now_ + wait(); next < end; next += wait()) {
      finish_until(next, seen);
      now_ = next;
      arrive(seen);
    }
    finish_until(end, seen);
    now_ = end;
    return seen;
  }
  outcome burst(int count) {
    outcome seen;
    for (int i = 0; i < count; ++i) arrive(seen);
    return seen;
  }
  void takes(duration each) { each_ = each; }
  const route_load& load() const { return load_; }

 private:
  void arrive(outcome& seen) {
    ++seen.asked;
    if (load_.full()) {
      load_.note_shed();
      ++seen.shed;
      return;
    }
    load_.enter();
    waiting_.push_back(now_);
    start(now_);
  }
  void start(instant at) {
    while (!waiting_.empty() && running_.size() < static_cast<std::size_t>(places_)) {
      running_.push({at + each_, waiting_.front()});
      waiting_.pop_front();
    }
  }
  void finish_until(instant until, outcome& seen) {
    while (!running_.empty() && running_.top().first <= until) {
      const auto [at, from] = running_.top();
      running_.pop();
      load_.note_answer(at - from, at);
      load_.leave();
      if (at - from <= 1s) ++seen.in_time;
      seen.longest = std::max(seen.longest, at - from);
      start(at);
    }
  }

  using answer = std::pair<instant, instant>;  // when, and since when it waits
  int places_;
  duration each_;
  route_load load_{100ms};
  std::mt19937 random_{20260102};
  instant now_{1h};
  std::deque<instant> waiting_;
  std::priority_queue<answer, std::vector<answer>, std::greater<>> running_;
};

}  // namespace

TEST_CASE("nothing is shed below capacity, whatever a request takes") {
  for (const auto each : {1ms, 10ms, 100ms, 1000ms}) {
    CAPTURE(each.count());
    resource r(16, each);
    const double capacity = 16 / std::chrono::duration<double>(each).count();
    const auto seen = r.run(capacity * 0.7, 60s);
    CHECK(seen.asked > 100);
    CHECK(seen.shed == 0);
  }
}

TEST_CASE("ordinary bursts are queued, not shed") {
  resource r(4, 10ms);  // 400 a second
  int shed = 0;
  for (int i = 0; i < 60; ++i) {
    shed += r.burst(100).shed;
    shed += r.run(100, 1s).shed;
  }
  CHECK(shed == 0);
}

TEST_CASE("handlers that merely take long are no overload, however many wait") {
  resource r(100'000, 5s);
  CHECK(r.run(500, 60s).shed == 0);
  CHECK(r.load().waiting() > 2000);
}

TEST_CASE("at three times the capacity nearly all of it goes to answers in time") {
  for (const auto& [places, each] : {std::pair<int, duration>{4, 10ms}, {16, 50ms}, {1, 2ms}, {64, 100ms}}) {
    CAPTURE(places);
    resource r(places, each);
    const double capacity = places / std::chrono::duration<double>(each).count();
    CHECK(r.run(capacity * 0.5, 10s).shed == 0);
    const auto seen = r.run(capacity * 3, 30s);
    CHECK(seen.in_time > 0.9 * capacity * 30);
    CHECK(r.load().limit() != route_load::unlimited);
    // Seconds behind the overload all is as before.
    r.run(capacity * 0.5, 5s);
    CHECK(r.load().limit() == route_load::unlimited);
    CHECK(r.run(capacity * 0.7, 30s).shed == 0);
  }
}

TEST_CASE("slow handlers are let in as fast as they are done, too") {
  for (const auto& [places, each] : {std::pair<int, duration>{32, 250ms}, {8, 400ms}}) {
    CAPTURE(places);
    resource r(places, each);
    const double capacity = places / std::chrono::duration<double>(each).count();
    CHECK(r.run(capacity * 0.5, 10s).shed == 0);
    r.run(capacity * 3, 10s);  // what is let in before it is noticed waits for seconds
    CHECK(r.run(capacity * 3, 60s).in_time > 0.85 * capacity * 60);
    CHECK(r.load().limit() < 2 * capacity);
    r.run(capacity * 0.5, 10s);
    CHECK(r.load().limit() == route_load::unlimited);
  }
}

TEST_CASE("a resource that becomes slower, or quicker, for good is found out") {
  resource r(32, 10ms);
  CHECK(r.run(1000, 10s).shed == 0);
  r.takes(250ms);  // 128 a second
  CHECK(r.run(100, 20s).shed < 100);
  CHECK(r.run(100, 60s).shed == 0);
  const auto over = r.run(400, 30s);
  CHECK(over.in_time > 0.7 * 128 * 30);  // what was let in before it was noticed waits for two seconds
  CHECK(r.run(400, 30s).in_time > 0.85 * 128 * 30);
  r.takes(10ms);
  r.run(400, 10s);
  CHECK(r.run(2000, 30s).shed == 0);
}

TEST_CASE("a pass is given back once, by whoever holds it last") {
  const auto load = std::make_shared<route_load>(100ms);
  {
    gate_pass a(load);
    CHECK(load->waiting() == 1);
    gate_pass b(load);
    b = std::move(a);
    CHECK(load->waiting() == 1);
    b.answered(1ms, route_load::clock::now());
    CHECK(load->waiting() == 0);
    b.leave();
  }
  CHECK(load->waiting() == 0);
}
