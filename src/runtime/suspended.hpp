#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <utility>

#include "corbel/runtime/task.hpp"

namespace corbel::detail {

/// A coroutine that waits, its type erased. Destroying it destroys the coroutine.
struct suspended {
  virtual ~suspended() = default;
  /// Posts the coroutine to its loop, to go on there with `why`; destroys this. From any thread.
  virtual void resume(boost::system::error_code why) = 0;
  /// The same at once when it is called on the coroutine's own loop; the coroutine runs before this returns.
  virtual void resume_here(boost::system::error_code why) = 0;
};

template <class Handler>
struct suspended_handler final : suspended {
  explicit suspended_handler(Handler h)
      : handler(std::move(h)), work(boost::asio::get_associated_executor(handler)) {}

  void resume(boost::system::error_code why) override {
    auto executor = work.get_executor();
    boost::asio::post(executor, go_on(why));
  }
  void resume_here(boost::system::error_code why) override {
    auto executor = work.get_executor();
    boost::asio::dispatch(executor, go_on(why));
  }

 private:
  auto go_on(boost::system::error_code why) {
    return [self = std::unique_ptr<suspended_handler>(this), why] {
      // On the loop's own thread: slots are not thread-safe.
      boost::asio::get_associated_cancellation_slot(self->handler).clear();
      auto resume_coroutine = std::move(self->handler);
      self->work.reset();
      std::move(resume_coroutine)(why);
    };
  }

  Handler handler;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work;
};

/// Suspends the awaiting coroutine; no cancellation ends this wait. `begin(std::unique_ptr<suspended>)` is
/// given the coroutine: it keeps it where whoever resumes it will find it, and starts what is waited for.
template <class Begin>
task<> suspend(Begin begin) {
  auto initiate = [](auto handler, Begin first) {
    first(std::unique_ptr<suspended>(new suspended_handler<decltype(handler)>(std::move(handler))));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(boost::system::error_code)>(
      initiate, boost::asio::use_awaitable, std::move(begin));
}

/// The same for a wait that cancelling (terminal or partial) ends at once, with `operation_aborted`. Then
/// `withdraw()`, on the coroutine's loop, gives back what `begin` was given, and stops what was started; null
/// when somebody else resumes the coroutine already. Cancelling is possible as soon as `begin` is called.
template <class Begin, class Withdraw>
task<> suspend(Begin begin, Withdraw withdraw) {
  auto initiate = [](auto handler, Begin first, Withdraw take_back) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    std::unique_ptr<suspended> who(new suspended_handler<decltype(handler)>(std::move(handler)));
    if (slot.is_connected())
      slot.assign([take = std::move(take_back)](boost::asio::cancellation_type type) mutable {
        using cancel = boost::asio::cancellation_type;
        if ((type & (cancel::terminal | cancel::partial)) == cancel::none) return;
        std::unique_ptr<suspended> ended = take();
        if (ended) ended.release()->resume(boost::asio::error::operation_aborted);
      });
    first(std::move(who));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(boost::system::error_code)>(
      initiate, boost::asio::use_awaitable, std::move(begin), std::move(withdraw));
}

}  // namespace corbel::detail
