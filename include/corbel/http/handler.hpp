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

/// What the server has to know of a route before it serves a request by it.
struct route_traits {
  std::size_t body_limit = 0;  ///< bytes that the body of a request may have
  bool waits = false;          ///< it is served by `serve_waiting`; otherwise by `serve`
  bool streams_body = false;   ///< it reads the body while it arrives, from `request::arriving()`
  bool never_shed = false;     ///< it is served also while the server sheds load
  bool guarded = false;        ///< `guard` must be asked before the body is received
  bool guard_waits = false;    ///< ... and it is `guard_waiting` that must be
  std::optional<std::chrono::milliseconds> time_limit;  ///< for `serve_waiting`; nothing: the server's own
};

/// What a request is served by: a route with its layers, or what answers where no route was found. It is
/// found once, from the request's head, and carried to the end. It belongs to the handler that resolved it
/// and lives as long; many threads use it at once.
class resolved_route {
 public:
  virtual ~resolved_route() = default;

  const route_traits& traits() const noexcept { return traits_; }

  /// Decides from the head alone whether the request is served: an error refuses it whatever its body is.
  /// What guards have read stays in the request for the handler. Asked once, at most: before the body is
  /// received, when the route is `guarded`, or when the client waits to be asked for the body.
  virtual result<void> guard(request& head) const noexcept = 0;
  virtual task<result<void>> guard_waiting(request& head) const = 0;

  /// Answers at once. Only when the route does not wait, and not behind a guard's refusal.
  virtual void serve(request& in, response& out) const noexcept = 0;

  /// Answers. Both references live until the task ends. A streamed body of `out` is produced behind it.
  virtual task<void> serve_waiting(request& in, response& out) const = 0;

  /// Answers with an error of the server's or a guard's own, in place of the handler: the layers see it as
  /// they see what the handler answers. May be called while `serve_waiting` still runs, with the same `in`
  /// and `out`: it then has the last word, and what the handler says later is not looked at.
  virtual void refuse(request& in, const error& why, response& out) const noexcept = 0;

 protected:
  route_traits traits_;
};

/// Finds out what serves a request. The server knows nothing else of what lies above it, and what lies above
/// knows nothing else of the server. One handler serves many threads at once.
class handler {
 public:
  virtual ~handler() = default;

  /// What serves the request with this head. It leaves in the request what the head tells: the parameters of
  /// the path, the limit of the body.
  virtual const resolved_route& resolve(request& head) const = 0;

  /// What answers a request whose head could not be read: it is only ever told to `refuse`.
  virtual const resolved_route& unresolved() const noexcept = 0;
};

}  // namespace corbel
