#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include <corbel/runtime/deadline_wheel.hpp>
#include <corbel/runtime/lag_meter.hpp>
#include <corbel/runtime/readiness.hpp>

namespace boost::asio {
class any_io_executor;
class io_context;
}  // namespace boost::asio

namespace corbel {

namespace detail {
class loop_locals;
class mailbox;
}  // namespace detail

/// One thread's world: an io_context, the descriptors it watches and its deadlines. What lives on a loop is
/// touched by the loop's thread alone, so nothing on it needs a lock.
class event_loop {
 public:
  /// A loop with an io_context of its own.
  event_loop();
  /// A loop on a context that the host program owns and runs, from one thread at a time.
  explicit event_loop(boost::asio::io_context& host);
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// The loop of this context. When there is none, the context gets one of its own, which keeps it running
  /// only while something is under way. From the context's thread.
  static event_loop& of(boost::asio::io_context& context);
  /// Whether `of` made this loop: its context is not run for ever, and nothing idle may stay watched.
  bool is_guest() const noexcept { return guest_; }

  boost::asio::io_context& context() noexcept { return *context_; }
  readiness_set& descriptors() noexcept { return *descriptors_; }
  deadline_wheel& deadlines() noexcept { return *deadlines_; }

  /// The time at which this wake-up began: one clock reading serves every connection of a batch.
  std::chrono::steady_clock::time_point now() const noexcept { return now_; }
  /// For what runs apart from the descriptors' wake-ups: coroutines, deadlines, posted work.
  void refresh_now() noexcept {
    now_ = std::chrono::steady_clock::now();
    lag_.begin_apart(now_);
  }
  /// Whether it keeps up with what its descriptors bring.
  lag_meter& lag() noexcept { return lag_; }

  /// Runs until `stop`, also while there is nothing to do.
  void run();
  /// Thread-safe.
  void stop();
  /// Runs `work` on the loop's thread. Thread-safe, while the loop is there.
  void post(std::function<void()> work);
  /// For who may outlive the loop: what it posts then is dropped.
  const std::shared_ptr<detail::mailbox>& mail() const noexcept { return mail_; }

 private:
  friend class detail::loop_locals;
  struct registry;

  explicit event_loop(std::unique_ptr<boost::asio::io_context> own);
  void watch_rounds();

  std::unique_ptr<boost::asio::io_context> owned_;
  boost::asio::io_context* context_;
  std::unique_ptr<readiness_set> descriptors_;
  std::unique_ptr<deadline_wheel> deadlines_;
  std::shared_ptr<detail::mailbox> mail_;
  std::unordered_map<std::uint64_t, std::shared_ptr<void>> locals_;  // see loop_local.hpp
  bool guest_ = false;
  lag_meter lag_;
  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
};

/// The loop that a coroutine with this executor (`co_await boost::asio::this_coro::executor`) runs on, made
/// as by `event_loop::of`. From the loop's thread. Throws std::logic_error when the executor is neither an
/// io_context's nor a strand of one, such as that of a thread_pool.
event_loop& loop_of(const boost::asio::any_io_executor& executor);

}  // namespace corbel
