#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <corbel/base/temporaries.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// Tells work that nobody waits for it any more. Long work that looks at it can stop early.
class abandonment {
 public:
  bool requested() const noexcept { return set_.load(std::memory_order_relaxed); }

 private:
  friend class blocking_pool;
  std::atomic<bool> set_{false};
};

namespace detail {

struct suspended;

/// A piece of work in the queue: owned by the pool and by who waits for it, so that either may leave first.
struct blocking_job {
  blocking_job() = default;
  blocking_job(const blocking_job&) = delete;
  blocking_job& operator=(const blocking_job&) = delete;
  virtual ~blocking_job() = default;
  /// Does the work, then lets go of what it captured.
  virtual void run() = 0;

  abandonment abandoned;
  std::exception_ptr thrown;
  std::atomic<bool> answered{false};
  std::atomic<bool> answer_given{false};
  bool refused = false;
  bool shielded = false;
  suspended* waiter = nullptr;  // whoever turns `answered` owns it
};

template <class Result, class F, class... Args>
struct blocking_call final : blocking_job {
  static constexpr bool takes_abandonment = std::is_invocable_v<F&, const abandonment&, Args&&...>;
  using stored = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

  explicit blocking_call(F f, Args... args)
      : call(std::in_place, std::move(f), std::tuple<Args...>(std::move(args)...)) {}

  void run() override {
    struct clear {
      std::optional<std::pair<F, std::tuple<Args...>>>& call;
      ~clear() { call.reset(); }
    } const at_end{call};
    auto invoke = [this](auto&... more) -> Result {
      return std::apply(
          [&](Args&... args) -> Result { return std::invoke(call->first, more..., std::move(args)...); },
          call->second);
    };
    auto with_flag = [&]() -> Result {
      if constexpr (takes_abandonment)
        return invoke(std::as_const(abandoned));
      else
        return invoke();
    };
    if constexpr (std::is_void_v<Result>)
      with_flag();
    else
      value.emplace(with_flag());
  }

  std::optional<std::pair<F, std::tuple<Args...>>> call;
  std::optional<stored> value;
};

template <class F, class... Args>
struct blocking_result {
  using type = typename std::conditional_t<std::is_invocable_v<F&, const abandonment&, Args&&...>,
                                           std::invoke_result<F&, const abandonment&, Args&&...>,
                                           std::invoke_result<F&, Args&&...>>::type;
};

}  // namespace detail

/// A bounded set of threads for work that blocks: file and database calls, password hashing.
///
/// Thread-safe. Work runs in the order it was accepted. An event loop may be destroyed before the pool once
/// no coroutine of it waits here; otherwise `stop()` comes first, never from a thread of the pool.
class blocking_pool {
 public:
  /// `threads` is at least 1. At most `queue_limit` pieces of work wait for a free thread.
  blocking_pool(std::size_t threads, std::size_t queue_limit);
  ~blocking_pool();
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// Runs `f(args...)` on a thread of the pool and resumes here with its result, or with what it threw.
  /// `f` may take a `const abandonment&` first. Throws `failure` (unavailable) at once when the queue is
  /// full or the pool has stopped. Cancelling the awaiting coroutine (terminal or partial) ends the wait at
  /// once, with `operation_aborted`; work that runs finishes on its own copies, work that waits is dropped.
  ///
  /// g++ 12 refuses a lambda without a name when what it captures has a destructor: name it first, or pass
  /// what it needs as `args` (`corbel/base/temporaries.hpp`).
  template <class F, class... Args>
  task<typename detail::blocking_result<std::decay_t<F>, std::decay_t<Args>...>::type> run(F&& f,
                                                                                           Args&&... args) {
    detail::name_it_first<F, Args...>();
    return wait_for_result(make_call(std::forward<F>(f), std::forward<Args>(args)...));
  }

  /// The same, for work whose outcome must be known: cancellation waits for it. A commit is the example.
  template <class F, class... Args>
  task<typename detail::blocking_result<std::decay_t<F>, std::decay_t<Args>...>::type> run_shielded(
      F&& f, Args&&... args) {
    detail::name_it_first<F, Args...>();
    auto call = make_call(std::forward<F>(f), std::forward<Args>(args)...);
    call->shielded = true;
    return wait_for_result(std::move(call));
  }

  /// Hands over work that nobody waits for, such as the clean-up of abandoned work; the queue limit does not
  /// count for it. False, with nothing done, when the pool has stopped. `work` must not throw.
  bool post(std::function<void()> work);

  /// Refuses new work, finishes all that was accepted, and returns when the threads have ended.
  void stop();

  std::size_t threads() const noexcept;
  /// Pieces of work that wait for a thread now.
  std::size_t waiting() const;

 private:
  template <class F, class... Args>
  static auto make_call(F&& f, Args&&... args) {
    using result = typename detail::blocking_result<std::decay_t<F>, std::decay_t<Args>...>::type;
    return std::make_shared<detail::blocking_call<result, std::decay_t<F>, std::decay_t<Args>...>>(
        std::forward<F>(f), std::forward<Args>(args)...);
  }
  template <class Result, class F, class... Args>
  task<Result> wait_for_result(std::shared_ptr<detail::blocking_call<Result, F, Args...>> call) {
    co_await wait_for(call);
    if constexpr (!std::is_void_v<Result>) co_return std::move(*call->value);
  }
  task<void> wait_for(std::shared_ptr<detail::blocking_job> job);

  struct core;
  std::shared_ptr<core> core_;
};

}  // namespace corbel
