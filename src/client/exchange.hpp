#pragma once

#include <memory>

#include "client/body_framer.hpp"
#include "client/core.hpp"
#include "client/gunzip.hpp"
#include "client/pool.hpp"

namespace corbel::outgoing {

/// One call with its redirects: what it asks for now, and the limits that hold for all of it.
struct call {
  std::shared_ptr<core> owner;
  outbound request;
  url to;
  method now = method::get;      ///< a redirect may have turned it into GET
  bool with_body = true;         ///< ... and dropped the body
  bool crossed_origins = false;  ///< ... and with it the right to see credentials
  bool produced = false;         ///< the body's producer was started, which happens once
  time_point total{};
  std::chrono::milliseconds connect{}, handshake{}, first_byte{}, idle{};
  std::size_t body_limit = 0;
};

/// Sends the call's request, once more when a connection that was kept alive turns out to be dead and nothing
/// speaks against repeating it, and reads the head of the response.
task<result<std::unique_ptr<client_stream::impl>>> exchange(std::shared_ptr<pool> connections, call& what);

/// The head that goes out: "POST /things HTTP/1.1\r\n...\r\n\r\n".
std::string request_head(const call& what);

}  // namespace corbel::outgoing

namespace corbel {

struct client_stream::impl {
  client_response head;
  outgoing::lease line;  ///< empty for fakes, and once the body is read
  outgoing::body_framer body;
  std::unique_ptr<outgoing::gunzip> unzip;
  bool keep_alive = false;
  std::size_t left = 0;  ///< bytes that the body may still have
  outgoing::time_point total;
  std::chrono::milliseconds idle{};
  std::string faked;  ///< the whole body of a fake's answer

  ~impl() { finish(); }
  task<result<std::string_view>> read();
  /// Gives the connection back: to the pool when the body was read to its end, else to nobody.
  void finish();
  /// Fails every later read too.
  error fail(error why);

 private:
  task<result<std::string_view>> read_coded();
  bool faked_read_ = false;
  std::optional<error> broken_;
  std::string_view coded_;  // read, but not yet unzipped
};

}  // namespace corbel
