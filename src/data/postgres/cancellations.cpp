#include "data/postgres/cancellations.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace corbel::postgres {

using steady = std::chrono::steady_clock;

namespace {

/// Cancellations come in swarms: a thread waits so long for the next one.
constexpr std::chrono::seconds thread_linger{10};

}  // namespace

struct cancellations::core : std::enable_shared_from_this<core> {
  struct job {
    std::function<void()> cancel;
    std::function<void()> over;
    steady::time_point due;
  };
  using job_ptr = std::shared_ptr<job>;
  struct worker {
    std::thread thread;
    job_ptr at;  // what it runs
    bool ended = false;
  };

  core(std::size_t m, duration g) : most(m), grace(g) {}

  void work(worker& self);
  void watch();
  bool grow();
  void reap();
  /// Under the mutex: what is still to be called of it.
  static std::function<void()> take_over(job& of) { return std::exchange(of.over, nullptr); }

  const std::size_t most;
  const duration grace;
  std::mutex mutex;
  std::condition_variable work_came;
  std::condition_variable work_ended;
  std::condition_variable due_changed;
  std::deque<job_ptr> queue;
  std::vector<job_ptr> timed;  // those with a limit that are not over
  std::list<worker> workers;
  std::size_t busy = 0;
  std::thread watcher;
  bool stopping = false;
};

void cancellations::core::work(worker& self) {
  std::unique_lock lock(mutex);
  const auto wanted = [this] { return stopping || !queue.empty(); };
  while (work_came.wait_for(lock, thread_linger, wanted) && !queue.empty()) {
    const auto mine = self.at = std::move(queue.front());
    queue.pop_front();
    ++busy;
    lock.unlock();
    mine->cancel();
    mine->cancel = nullptr;
    lock.lock();
    if (const auto over = take_over(*mine)) {
      std::erase(timed, mine);
      lock.unlock();
      over();
      lock.lock();
    }
    self.at.reset();
    --busy;
    work_ended.notify_all();
  }
  self.ended = true;
}

/// Calls what is due although its cancellation has not ended.
void cancellations::core::watch() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    auto next = steady::time_point::max();
    std::vector<std::function<void()>> due;
    const auto now = steady::now();
    std::erase_if(timed, [&](const job_ptr& one) {
      if (one->due <= now) {
        due.push_back(take_over(*one));
        return true;
      }
      next = std::min(next, one->due);
      return false;
    });
    if (!due.empty()) {
      lock.unlock();
      for (const auto& over : due) over();
      lock.lock();
    } else if (next == steady::time_point::max()) {
      due_changed.wait(lock);
    } else {
      due_changed.wait_until(lock, next);
    }
  }
}

/// Under the mutex. False when the system gives no thread.
bool cancellations::core::grow() {
  if (workers.size() > busy + queue.size()) return true;
  auto& fresh = workers.emplace_back();
  try {
    fresh.thread = std::thread([self = shared_from_this(), &fresh] { self->work(fresh); });
  } catch (const std::system_error&) {
    workers.pop_back();
    return false;
  }
  return true;
}

/// Under the mutex. Those have nothing left to do but return.
void cancellations::core::reap() {
  std::erase_if(workers, [](worker& one) {
    if (!one.ended) return false;
    one.thread.join();
    return true;
  });
}

cancellations::cancellations(std::size_t most, duration grace) : core_(std::make_shared<core>(most, grace)) {}

cancellations::~cancellations() {
  stop();
}

bool cancellations::start(std::function<void()> cancel, std::function<void()> over, duration patience) {
  auto& c = *core_;
  const std::lock_guard lock(c.mutex);
  if (c.stopping || c.busy + c.queue.size() >= c.most) return false;
  c.reap();
  const bool limited = patience != no_limit;
  if (limited && !c.watcher.joinable()) {
    try {
      c.watcher = std::thread([self = core_] { self->watch(); });
    } catch (const std::system_error&) {
      return false;
    }
  }
  if (!c.grow()) return false;
  const auto due = limited ? steady::now() + patience : steady::time_point::max();
  auto made = std::make_shared<core::job>(core::job{std::move(cancel), std::move(over), due});
  if (limited) {
    c.timed.push_back(made);
    c.due_changed.notify_one();
  }
  c.queue.push_back(std::move(made));
  c.work_came.notify_one();
  return true;
}

void cancellations::stop() {
  auto& c = *core_;
  std::vector<std::function<void()>> over;
  std::list<core::worker> done;
  std::thread watcher;
  {
    std::unique_lock lock(c.mutex);
    c.stopping = true;
    c.work_came.notify_all();
    c.due_changed.notify_all();
    c.work_ended.wait_for(lock, c.grace, [&] { return c.busy + c.queue.size() == 0; });
    for (const auto& one : std::exchange(c.timed, {})) over.push_back(core::take_over(*one));
    c.queue.clear();
    watcher = std::move(c.watcher);
    for (auto at = c.workers.begin(); at != c.workers.end();) {
      const auto here = at++;
      if (here->at) {
        (void)core::take_over(*here->at);
        if (here->thread.joinable()) here->thread.detach();  // its place stays for as long as it runs
      } else {
        done.splice(done.end(), c.workers, here);
      }
    }
  }
  for (const auto& each : over) each();
  for (auto& one : done)
    if (one.thread.joinable()) one.thread.join();
  if (watcher.joinable()) watcher.join();
}

}  // namespace corbel::postgres
