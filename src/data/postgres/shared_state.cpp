#include <algorithm>

#include "data/postgres/blocking_side.hpp"
#include "data/postgres/pool.hpp"

namespace corbel::postgres {

void mailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (loop_) loop_->post(std::move(work));
}

void mailbox::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

shared_state::shared_state(options o)
    : how(std::move(o)), openers(how.threads, 4096), cancelling(std::make_shared<std::atomic<int>>(0)) {}

namespace {

/// What the loop keeps: those who wait hold the pool, and the pool holds them, so that letting go of it would
/// end neither.
struct tenant {
  explicit tenant(std::shared_ptr<pool> p) : home(std::move(p)) {}
  ~tenant() { home->end(); }
  tenant(const tenant&) = delete;
  tenant& operator=(const tenant&) = delete;
  const std::shared_ptr<pool> home;
};

}  // namespace

std::shared_ptr<pool> shared_state::pool_on(const std::shared_ptr<shared_state>& state, event_loop& loop) {
  auto& here = loop.local(state.get());
  if (!here) {
    auto made = std::make_shared<pool>(loop, state);
    const std::lock_guard lock(state->mutex_);
    std::erase_if(state->pools_, [](const std::weak_ptr<pool>& one) { return one.expired(); });
    state->pools_.push_back(made);
    here = std::make_shared<tenant>(std::move(made));
  }
  return std::static_pointer_cast<tenant>(here)->home;
}

std::shared_ptr<blocking_side> shared_state::blocking() {
  const std::lock_guard lock(mutex_);
  if (closed) throw failure(busy_error("the database was stopped"));
  if (!blocking_) blocking_ = std::make_shared<blocking_side>(how);
  return blocking_;
}

void shared_state::close() {
  if (closed.exchange(true)) return;
  std::shared_ptr<blocking_side> others;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : pools_)
      if (const auto open = one.lock()) open->close_soon();
    others = blocking_;
  }
  if (others) others->stop();
  openers.stop();
}

}  // namespace corbel::postgres
