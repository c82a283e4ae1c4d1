#pragma once

#include <boost/asio/awaitable.hpp>

namespace corbel {

/// A coroutine that gives a T. It is Asio's own type, so any Asio library composes with it by `co_await`.
/// It starts when it is awaited, and runs on the event loop of the request it serves.
template <class T = void>
using task = boost::asio::awaitable<T>;

template <class T>
inline constexpr bool is_task = false;
template <class T, class Executor>
inline constexpr bool is_task<boost::asio::awaitable<T, Executor>> = true;

}  // namespace corbel
