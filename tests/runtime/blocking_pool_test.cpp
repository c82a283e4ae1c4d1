#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include "corbel/base/error.hpp"
#include "corbel/runtime/blocking_pool.hpp"

namespace asio = boost::asio;
using corbel::blocking_pool;
using corbel::task;

namespace {

struct outcome {
  std::exception_ptr thrown;
  bool finished = false;
};

/// Starts `work`; its outcome is there once the loop has run.
void start(asio::io_context& loop, task<> work, outcome& end, asio::cancellation_signal* cancel = nullptr) {
  auto done = [&end](std::exception_ptr e) {
    end.thrown = e;
    end.finished = true;
  };
  if (cancel)
    asio::co_spawn(loop, std::move(work), asio::bind_cancellation_slot(cancel->slot(), done));
  else
    asio::co_spawn(loop, std::move(work), done);
}

template <class E>
bool threw(const outcome& end) {
  try {
    if (end.thrown) std::rethrow_exception(end.thrown);
  } catch (const E&) {
    return true;
  } catch (...) {
  }
  return false;
}

task<> ask(blocking_pool& pool, std::thread::id& there, std::thread::id& after, std::string& text) {
  auto work = [&there, owned = std::string("kept")] {
    there = std::this_thread::get_id();
    return owned + " and out";
  };
  text = co_await pool.run(work);
  after = std::this_thread::get_id();
}

task<> fail(blocking_pool& pool) {
  co_await pool.run([] { throw std::domain_error("no"); });
}

task<> hold(blocking_pool& pool, std::shared_future<void> until) {
  co_await pool.run([](std::shared_future<void> f) { f.wait(); }, std::move(until));
}

task<> hold_shielded(blocking_pool& pool, std::shared_future<void> until) {
  co_await pool.run_shielded([](std::shared_future<void> f) { f.wait(); }, std::move(until));
}

task<> hold_until_abandoned(blocking_pool& pool, std::latch& running, std::atomic<bool>& noticed) {
  co_await pool.run(
      [](const corbel::abandonment& gone, std::latch* started, std::atomic<bool>* saw) {
        started->count_down();
        while (!gone.requested()) std::this_thread::yield();
        *saw = true;
      },
      &running, &noticed);
}

}  // namespace

TEST_CASE("work runs on a thread of the pool and its result arrives on the loop") {
  blocking_pool pool(2, 8);
  asio::io_context loop;
  outcome end;
  std::thread::id there, after;
  std::string text;
  start(loop, ask(pool, there, after, text), end);
  loop.run();
  CHECK(end.finished);
  CHECK(text == "kept and out");
  CHECK(after == std::this_thread::get_id());
  CHECK(there != after);
}

TEST_CASE("what the work throws is thrown where it is awaited") {
  blocking_pool pool(1, 8);
  asio::io_context loop;
  outcome end;
  start(loop, fail(pool), end);
  loop.run();
  CHECK(threw<std::domain_error>(end));
}

TEST_CASE("a full queue refuses at once, and what was accepted is finished") {
  blocking_pool pool(1, 1);
  asio::io_context loop;
  std::promise<void> release;
  const auto until = release.get_future().share();
  outcome ends[3];
  start(loop, hold(pool, until), ends[0]);
  loop.poll();
  while (pool.waiting() != 0) std::this_thread::yield();
  start(loop, hold(pool, until), ends[1]);
  start(loop, hold(pool, until), ends[2]);
  loop.poll();
  loop.poll();
  CHECK_FALSE(ends[0].finished);
  CHECK_FALSE(ends[1].finished);
  REQUIRE(ends[2].finished);
  CHECK(threw<corbel::failure>(ends[2]));
  release.set_value();
  loop.run();
  CHECK(ends[0].finished);
  CHECK(ends[1].finished);
  CHECK_FALSE(ends[1].thrown);
}

TEST_CASE("cancellation ends the wait at once, and the work learns of it") {
  // Many rounds: work that ends as soon as it learns races with the cancellation for who answers.
  for (int round = 0; round < 500; ++round) {
    CAPTURE(round);
    blocking_pool pool(1, 8);
    asio::io_context loop;
    asio::cancellation_signal cancel;
    outcome end;
    std::latch running(1);
    std::atomic<bool> noticed = false;
    start(loop, hold_until_abandoned(pool, running, noticed), end, &cancel);
    loop.poll();
    running.wait();
    cancel.emit(asio::cancellation_type::terminal);
    loop.run();
    REQUIRE(threw<boost::system::system_error>(end));
    pool.stop();
    CHECK(noticed);
  }
}

TEST_CASE("work that waits in the queue is dropped when it is cancelled") {
  blocking_pool pool(1, 8);
  asio::io_context loop;
  std::promise<void> release;
  outcome first, second;
  asio::cancellation_signal cancel;
  start(loop, hold(pool, release.get_future().share()), first);
  loop.poll();
  std::promise<void> never;
  start(loop, hold(pool, never.get_future().share()), second, &cancel);
  loop.poll();
  cancel.emit(asio::cancellation_type::terminal);
  loop.poll();
  CHECK(second.finished);
  release.set_value();
  loop.run();
  CHECK(first.finished);
}

TEST_CASE("shielded work outlasts a cancellation, and its outcome is known") {
  blocking_pool pool(1, 8);
  asio::io_context loop;
  std::promise<void> release;
  outcome end;
  asio::cancellation_signal cancel;
  start(loop, hold_shielded(pool, release.get_future().share()), end, &cancel);
  loop.poll();
  cancel.emit(asio::cancellation_type::terminal);
  loop.poll();
  CHECK_FALSE(end.finished);
  release.set_value();
  loop.run();
  CHECK(end.finished);
  CHECK_FALSE(end.thrown);
}

TEST_CASE("a stopped pool has finished what it accepted and refuses the rest") {
  blocking_pool pool(2, 100);
  asio::io_context loop;
  std::atomic<int> done = 0;
  for (int i = 0; i < 50; ++i) CHECK(pool.post([&] { ++done; }));
  pool.stop();
  CHECK(done == 50);
  CHECK_FALSE(pool.post([] {}));
  outcome end;
  start(loop, fail(pool), end);
  loop.run();
  CHECK(threw<corbel::failure>(end));
}

namespace {

task<> count_many(blocking_pool& pool, std::atomic<int>& sum) {
  for (int i = 0; i < 200; ++i) {
    const int got = co_await pool.run([](int n) { return n; }, i);
    sum += got;
  }
}

}  // namespace

TEST_CASE("several loops share one pool") {
  blocking_pool pool(3, 1000);
  std::atomic<int> sum = 0;
  std::vector<std::thread> loops;
  for (int l = 0; l < 4; ++l)
    loops.emplace_back([&] {
      asio::io_context loop;
      outcome ends[4];
      for (auto& end : ends) start(loop, count_many(pool, sum), end);
      loop.run();
      for (auto& end : ends)
        if (end.thrown) sum = -1'000'000;
    });
  for (auto& l : loops) l.join();
  CHECK(sum == 16 * 199 * 100);
}
