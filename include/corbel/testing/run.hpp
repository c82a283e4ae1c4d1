#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <corbel/runtime/task.hpp>

namespace corbel::testing {

namespace detail {
/// Runs the task on an event loop of its own until it ends; throws what it threw.
void run_to_end(task<void> work);

template <class T>
task<void> store(task<T> work, std::optional<T>& into) {
  into.emplace(co_await std::move(work));
}
}  // namespace detail

/// Runs a task to its end, on this thread and an event loop of its own, and gives what it gives: for tests
/// that are no coroutines.
template <class T>
T run(task<T> work) {
  if constexpr (std::is_void_v<T>) {
    detail::run_to_end(std::move(work));
  } else {
    std::optional<T> result;
    detail::run_to_end(detail::store(std::move(work), result));
    return std::move(*result);
  }
}

}  // namespace corbel::testing
