#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <utility>

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

}  // namespace corbel::detail
