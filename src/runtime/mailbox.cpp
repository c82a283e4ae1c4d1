#include "runtime/mailbox.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "corbel/runtime/event_loop.hpp"

namespace corbel::detail {

bool mailbox::post(std::function<void()> work) {
  // Held while posting: the loop may go away as soon as it is let go of.
  const std::lock_guard lock(mutex_);
  if (!loop_ || waiting_.load(std::memory_order_relaxed) >= limit_) return false;
  waiting_.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(loop_->context(), [self = shared_from_this(), letter = std::move(work)] {
    self->waiting_.fetch_sub(1, std::memory_order_relaxed);
    if (self->is_open()) letter();
  });
  return true;
}

void mailbox::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

bool mailbox::is_open() const {
  const std::lock_guard lock(mutex_);
  return loop_ != nullptr;
}

}  // namespace corbel::detail
