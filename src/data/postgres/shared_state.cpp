#include "data/postgres/blocking_side.hpp"
#include "data/postgres/pool.hpp"
#include "runtime/mailbox.hpp"

namespace corbel::postgres {

/// What the loop keeps: those who wait hold the pool, and the pool holds them, so that letting go of it would
/// end neither.
struct pool_place {
  explicit pool_place(std::shared_ptr<pool> p) : home(std::move(p)) {}
  ~pool_place() { home->end(); }
  pool_place(const pool_place&) = delete;
  pool_place& operator=(const pool_place&) = delete;
  const std::shared_ptr<pool> home;
};

shared_state::shared_state(options o) : how(std::move(o)), openers(how.threads, 4096) {}

std::shared_ptr<pool> shared_state::pool_on(const std::shared_ptr<shared_state>& state, event_loop& loop) {
  if (const auto* const here = state->pools_.find(loop)) return here->home;
  auto made = std::make_shared<pool>(loop, state);
  // Not kept when the database was stopped: then the place ends it, and it refuses what it is asked.
  (void)state->pools_.keep(loop, std::make_shared<pool_place>(made));
  return made;
}

void shared_state::forget_pool_on(event_loop& loop) {
  pools_.erase(loop);
}

bool shared_state::open_for(event_loop& loop, const std::shared_ptr<shared_state>& state,
                            std::function<void(std::unique_ptr<link>, const std::string&)> told) {
  // By mail: the loop may be gone when the server has answered.
  return state->openers.post([state, mail = loop.mail(), told = std::move(told)] {
    const auto made = std::make_shared<std::unique_ptr<link>>();
    std::string why;
    try {
      *made = link::open(state->how);
    } catch (const failure& f) {
      why = f.error().cause();
    } catch (const std::exception& e) {
      why = e.what();
    }
    mail->post([told, made, why = std::move(why)] { told(std::move(*made), why); });
  });
}

std::shared_ptr<blocking_side> shared_state::blocking() {
  const std::lock_guard lock(mutex_);
  if (closed) throw failure(busy_error("the database was stopped"));
  if (!blocking_) blocking_ = std::make_shared<blocking_side>(how, cancelling);
  return blocking_;
}

void shared_state::close() {
  if (closed.exchange(true)) return;
  pools_.close([](const pool_place& one) { one.home->close(); });
  std::shared_ptr<blocking_side> others;
  {
    const std::lock_guard lock(mutex_);
    others = blocking_;
  }
  if (others) others->stop();
  openers.stop();
  cancelling->stop();
}

}  // namespace corbel::postgres
