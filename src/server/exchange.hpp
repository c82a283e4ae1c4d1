#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>

#include "corbel/base/result.hpp"
#include "corbel/http/request.hpp"
#include "corbel/http/response.hpp"
#include "corbel/runtime/task.hpp"
#include "server/arriving_body.hpp"
#include "server/departing_body.hpp"
#include "server/held_bytes.hpp"
#include "server/http1/chunked.hpp"
#include "server/http1/head.hpp"
#include "server/load_gate.hpp"

namespace corbel {

class connection;
class resolved_route;

/// A request that outlives one wake-up: its body is still arriving, its handler waits, or its response is
/// still produced. It owns the bytes that its request's views point into. Requests served at once never need
/// one.
struct exchange {
  request in;
  response out;
  const resolved_route* route = nullptr;
  http1::message_framing framing;

  std::string bytes;  ///< the head, and the body when it came along with it
  std::string body;   ///< a body put together from pieces
  std::string peer;   ///< the client's address: the handler may outlive the connection
  held_bytes held;    ///< by that
  std::uint64_t body_left = 0;
  std::size_t body_limit = 0;
  std::optional<http1::chunked_reader> chunks;
  result<void> verdict;          ///< the guards'
  std::optional<error> refusal;  ///< told when the body, which is short, has been received

  std::optional<arriving_body> upload;     ///< of a route that reads while the body arrives
  std::optional<departing_body> download;  ///< of a response that is produced while it is sent

  gate_pass pass;  ///< of a handler that counts among those that wait

  /// Null once the connection is gone or has answered without waiting any longer.
  connection* owner = nullptr;
  boost::asio::cancellation_signal cancel;
  /// Of the guards that run before the body is received: a slot serves one coroutine, and theirs may still be
  /// ending when the handler's begins.
  boost::asio::cancellation_signal cancel_guards;

  void cancel_all() {
    cancel_guards.emit(boost::asio::cancellation_type::terminal);
    cancel.emit(boost::asio::cancellation_type::terminal);
  }
  bool ended_by_drain = false;  ///< it was cancelled because the server stops, not because the client left

  /// Whether another request can follow on this connection.
  bool may_keep_alive() const noexcept { return framing.keep_alive && (!upload || upload->complete()); }
};

/// Whether the request has been answered in full, through all its layers.
bool has_left(exchange& x) noexcept;

/// Waits until the thread's buffers are free. False when the connection has gone meanwhile.
task<bool> turn_of(exchange* x);

}  // namespace corbel
