#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <string>

#include "corbel/http/request.hpp"
#include "corbel/http/response.hpp"
#include "server/http1/chunked.hpp"
#include "server/http1/head.hpp"

namespace corbel {

class connection;

/// A request that outlives one wake-up: its body is still arriving, or its handler waits. It owns the bytes
/// that its request's views point into. Requests served at once never need one.
struct exchange {
  request in;
  response out;
  http1::message_framing framing;

  std::string bytes;  ///< the head, and the body when it came along with it
  std::string body;   ///< a body put together from pieces
  std::uint64_t body_left = 0;
  std::size_t body_limit = 0;
  std::optional<http1::chunked_reader> chunks;

  /// Null once the connection is gone or has answered without waiting any longer.
  connection* owner = nullptr;
  boost::asio::cancellation_signal cancel;
};

}  // namespace corbel
