#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include <corbel/base/error.hpp>
#include <corbel/base/result.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// What a request's body may be, decided from its head.
struct admission {
  std::size_t body_limit = 0;  ///< bytes
  bool streams = false;        ///< the handler reads the body while it arrives, from `request::arriving()`
};

/// Answers requests. The server knows nothing else of what lies above it, and what lies above knows nothing
/// else of the server. One handler serves many threads at once.
class handler {
 public:
  virtual ~handler() = default;

  /// The head of a request whose body is still to come: what its body may be, or the error with which the
  /// request would be refused whatever its body is.
  virtual result<admission> admit(request& head) = 0;

  /// Answers at once and returns true; or returns false, having done nothing yet, when the route may wait.
  virtual bool serve(request& in, response& out) = 0;

  /// Answers a request for which `serve` returned false. Both references live until the task ends. A
  /// streamed body of `out` is produced behind it.
  virtual task<void> serve_waiting(request& in, response& out) = 0;

  /// How long `serve_waiting` may take for a request that `serve` left; nothing for the server's own limit.
  virtual std::optional<std::chrono::milliseconds> time_limit(const request&) const { return {}; }

  /// Whether a request is served also while the server sheds load. Asked before or behind `serve`, and only
  /// then.
  virtual bool never_shed(request&) { return false; }

  /// Answers a request that could not be read; `in` holds what was understood of it.
  virtual void refuse(request& in, const error& why, response& out) = 0;
};

}  // namespace corbel
