#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "corbel/base/result.hpp"
#include "corbel/runtime/task.hpp"

namespace corbel::net {

using time_point = std::chrono::steady_clock::time_point;
using tcp = boost::asio::ip::tcp;

/// The earlier of `from_now` (zero for never) and `total`.
time_point due_in(std::chrono::milliseconds from_now, time_point total);

/// One connection to one server, with or without TLS, and the one deadline that stands over it: when that
/// passes, the socket is closed and whatever waited on it ends. Lives on one loop.
class stream : public std::enable_shared_from_this<stream> {
 public:
  explicit stream(boost::asio::any_io_executor executor);

  /// Replaces the deadline; time_point::max() for none. `phase` becomes `details.phase` of the error.
  void deadline(time_point due, const char* phase);
  bool expired() const noexcept { return expired_; }

  /// Each gives nothing on success. They throw system_error(operation_aborted) when the calling coroutine was
  /// cancelled.
  task<result<void>> connect(tcp::endpoint to);
  /// `host` is checked against the certificate; a name is sent as SNI too.
  task<result<void>> handshake(std::shared_ptr<boost::asio::ssl::context> context, std::string host,
                               bool host_is_address, bool verify);
  /// `sent` is set once a byte may have left.
  task<result<void>> write(std::string_view bytes, bool* sent);
  /// Appends what comes next to `unread`. False at the end of the stream; TLS must have said so properly.
  task<result<bool>> read_more();

  /// Whether the peer has neither closed nor sent anything unasked.
  bool quiet();
  void close() noexcept;

  /// Bytes read and not yet taken: a view into this connection's buffer.
  std::string_view unread;
  /// Forgets what was taken, and gives the buffer back when nothing is left.
  void release_buffer();

  bool refused_bytes = false;  ///< the peer took no more of what was written
  time_point connected_at;     ///< when it was connected
  std::string peer;            ///< "192.0.2.1:443", for the log

 private:
  error failed(const boost::system::error_code& why, const char* what, const char* code) const;
  void watch();

  tcp::socket socket_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<boost::asio::ssl::stream<tcp::socket&>> tls_;
  std::string buffer_;
  boost::asio::steady_timer timer_;
  time_point due_ = time_point::max();
  time_point watched_ = time_point::max();
  const char* phase_ = "";
  bool expired_ = false;
};

}  // namespace corbel::net
