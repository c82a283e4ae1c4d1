#pragma once

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>

#include "corbel/client/client.hpp"

/// The call as a task that co_spawn can take: a result has no default value.
template <class T>
corbel::task<> then(corbel::task<corbel::result<T>> work, std::function<void(corbel::result<T>)> tell) {
  tell(co_await std::move(work));
}

/// An event loop that outlives single calls, so that connections stay open between them.
class caller {
 public:
  template <class T>
  T wait(corbel::task<T> work) {
    std::optional<T> made;
    run(keep(std::move(work), made));
    return std::move(*made);
  }
  void run(corbel::task<> work) {
    bool done = false;
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop, std::move(work), [&](std::exception_ptr e) {
      thrown = e;
      done = true;
    });
    loop.restart();
    while (!done) loop.run_one();
    if (thrown) std::rethrow_exception(thrown);
  }
  /// Starts a call beside others; it moves on whenever the loop runs.
  template <class T>
  void start(corbel::task<corbel::result<T>> call, std::function<void(corbel::result<T>)> tell) {
    boost::asio::co_spawn(loop, then<T>(std::move(call), std::move(tell)), boost::asio::detached);
  }
  /// Cancels the call after `patience`; whether it then ended by throwing.
  template <class T>
  bool cancelled(corbel::task<corbel::result<T>> call, std::chrono::milliseconds patience) {
    boost::asio::cancellation_signal signal;
    boost::asio::steady_timer timer(loop, patience);
    timer.async_wait([&](const boost::system::error_code& e) {
      if (!e) signal.emit(boost::asio::cancellation_type::terminal);
    });
    bool done = false;
    bool threw = false;
    boost::asio::co_spawn(loop, then<T>(std::move(call), [](auto) {}),
                          boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) {
                            threw = e != nullptr;
                            done = true;
                          }));
    loop.restart();
    while (!done) loop.run_one();
    timer.cancel();
    loop.restart();
    loop.poll();
    return threw;
  }
  /// Lets what is waiting on the loop happen.
  void turn(std::chrono::milliseconds span) {
    loop.restart();
    loop.run_for(span);
  }

  boost::asio::io_context loop{1};

 private:
  template <class T>
  static corbel::task<> keep(corbel::task<T> work, std::optional<T>& made) {
    made.emplace(co_await std::move(work));
  }
};

/// Settings that reach the tests' own servers, which are all on loopback.
inline corbel::client_settings local() {
  corbel::client_settings made;
  made.allow_private = true;
  made.tls.system_authorities = false;  // reading them takes 20 ms
  return made;
}
