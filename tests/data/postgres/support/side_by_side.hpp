#pragma once

#include <doctest/doctest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <optional>

#include "corbel/base/error.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/runtime/task.hpp"

/// Tasks that run side by side on one event loop, such as a server's: one that stays when nothing is left to
/// do, and whose idle connections are watched.
class side_by_side {
 public:
  struct one {
    std::exception_ptr thrown;
    bool ended = false;
    boost::asio::cancellation_signal cancel;

    void stop() { cancel.emit(boost::asio::cancellation_type::terminal); }
    bool cancelled() const { return ended && thrown && !failed(); }
    /// The error it failed with, if it did.
    std::optional<corbel::error> failed() const {
      if (!thrown) return {};
      try {
        std::rethrow_exception(thrown);
      } catch (const corbel::failure& f) {
        return f.error();
      } catch (...) {
        return {};
      }
    }
  };

  side_by_side() = default;

  one& start(corbel::task<void> work) {
    auto& added = all_.emplace_back();
    boost::asio::co_spawn(
        loop_.context(), std::move(work),
        boost::asio::bind_cancellation_slot(added.cancel.slot(), [&added](const std::exception_ptr& e) {
          added.thrown = e;
          added.ended = true;
        }));
    return added;
  }

  /// Runs until all have ended. Fails the test when that takes longer than `most`.
  void run(std::chrono::milliseconds most = std::chrono::seconds(30)) {
    const bool in_time = run_until([this] { return running() == 0; }, most);
    REQUIRE_MESSAGE(in_time, "tasks still run when their time is over: ", running());
  }

  /// Runs until `done()`; false when that takes longer than `most`.
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds most = std::chrono::seconds(30)) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.context().restart();
      loop_.context().run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  void run_for(std::chrono::milliseconds span) {
    run_until([] { return false; }, span);
  }

  std::size_t running() const {
    std::size_t n = 0;
    for (const auto& each : all_) n += each.ended ? 0 : 1;
    return n;
  }
  std::deque<one>& all() { return all_; }

 private:
  std::deque<one> all_;  // before the loop: what it destroys still tells
  corbel::event_loop loop_;
};
