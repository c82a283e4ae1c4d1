#include "corbel/runtime/blocking_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "corbel/base/error.hpp"
#include "runtime/suspended.hpp"

namespace corbel {

namespace detail {

namespace {

/// True for the one caller who may resume the waiter.
bool claim(blocking_job& job) {
  return !job.answered.exchange(true, std::memory_order_acq_rel);
}

void answer(blocking_job& job) {
  if (!claim(job)) return;
  job.waiter->resume({});
  job.answer_given.store(true, std::memory_order_release);
}

struct posted_job final : blocking_job {
  explicit posted_job(std::function<void()> w) : work(std::move(w)) { answered = true; }
  void run() override {
    work();
    work = nullptr;
  }
  std::function<void()> work;
};

}  // namespace
}  // namespace detail

struct blocking_pool::core {
  explicit core(std::size_t limit) : queue_limit(limit) {}

  bool push(std::shared_ptr<detail::blocking_job> job, bool limited) {
    {
      const std::lock_guard lock(mutex);
      if (stopping) return false;
      if (limited && queue.size() >= queue_limit + idle) return false;
      queue.push_back(std::move(job));
    }
    ready.notify_one();
    return true;
  }

  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      ready.wait(lock, [&] { return stopping || !queue.empty(); });
      --idle;
      if (queue.empty()) return;
      auto job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      if (!job->abandoned.requested()) {
        try {
          job->run();
        } catch (...) {
          job->thrown = std::current_exception();
        }
      }
      detail::answer(*job);
      job.reset();
      lock.lock();
    }
  }

  const std::size_t queue_limit;
  std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::shared_ptr<detail::blocking_job>> queue;
  std::size_t idle = 0;
  bool stopping = false;
  std::vector<std::thread> threads;
  std::size_t thread_count = 0;
  std::once_flag joined;
};

blocking_pool::blocking_pool(std::size_t threads, std::size_t queue_limit)
    : core_(std::make_shared<core>(queue_limit)) {
  core_->thread_count = threads == 0 ? 1 : threads;
  for (std::size_t i = 0; i < core_->thread_count; ++i)
    core_->threads.emplace_back([core = core_.get()] { core->serve(); });
}

blocking_pool::~blocking_pool() {
  stop();
}

void blocking_pool::stop() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
  }
  core_->ready.notify_all();
  std::call_once(core_->joined, [this] {
    for (auto& thread : core_->threads) thread.join();
  });
}

bool blocking_pool::post(std::function<void()> work) {
  return core_->push(std::make_shared<detail::posted_job>(std::move(work)), false);
}

std::size_t blocking_pool::threads() const noexcept {
  return core_->thread_count;
}

std::size_t blocking_pool::waiting() const {
  const std::lock_guard lock(core_->mutex);
  return core_->queue.size();
}

task<void> blocking_pool::wait_for(std::shared_ptr<detail::blocking_job> job) {
  auto begin = [pool = core_, job](std::unique_ptr<detail::suspended> who) {
    job->waiter = who.release();
    if (pool->push(job, true)) return;
    job->refused = true;
    detail::answer(*job);
  };
  auto withdraw = [job]() -> std::unique_ptr<detail::suspended> {
    // Claimed before the work learns of it: work that ends early must not pass for work that is done.
    if (!detail::claim(*job)) return nullptr;
    job->abandoned.set_.store(true, std::memory_order_relaxed);
    std::unique_ptr<detail::suspended> who(job->waiter);
    // The coroutine is resumed by its own loop, which it cannot end before this has returned.
    job->answer_given.store(true, std::memory_order_release);
    return who;
  };
  if (job->shielded)
    co_await detail::suspend(std::move(begin));
  else
    co_await detail::suspend(std::move(begin), std::move(withdraw));
  // Posting to a loop touches it until the call returns: whoever resumed us may still be in there, and what
  // follows may end the loop.
  while (!job->answer_given.load(std::memory_order_acquire)) std::this_thread::yield();
  if (job->refused)
    throw failure(unavailable("The server is busy. Try again shortly.", "busy")
                      .retry_after(std::chrono::seconds(1))
                      .because("the blocking pool refused work: its queue is full, or it has stopped"));
  // Taken out: the worker may be the last to let go of the job, and must not end the exception's life there.
  if (job->thrown) std::rethrow_exception(std::exchange(job->thrown, nullptr));
}

}  // namespace corbel
