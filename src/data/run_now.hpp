#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "corbel/runtime/task.hpp"

namespace corbel::data::detail {

template <class T>
task<void> keep(task<T> work, std::optional<T>* into) {
  into->emplace(co_await std::move(work));
}

/// Runs a task to its end on this thread and an event loop of its own; throws what it threw.
template <class T>
T run_now(task<T> work) {
  boost::asio::io_context loop;
  std::optional<T> outcome;
  std::exception_ptr thrown;
  boost::asio::co_spawn(loop, keep(std::move(work), &outcome), [&](std::exception_ptr e) { thrown = e; });
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*outcome);
}

}  // namespace corbel::data::detail
