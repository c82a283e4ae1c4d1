#pragma once

#include <functional>
#include <memory>
#include <string>

#include <corbel/base/result.hpp>
#include <corbel/client/outbound.hpp>
#include <corbel/client/response.hpp>
#include <corbel/client/settings.hpp>
#include <corbel/client/url.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

/// Calls other services over HTTP/1.1. One serves a whole program: provide it to handlers as `state<client>`.
/// Calls may run on any number of event loops at once; each loop has connections of its own, so they share
/// no lock. A loop must be run by one thread at a time, as Corbel's own are.
///
/// A call fails as a value. `message()` of the error is fit for a client of yours and names no host;
/// `cause()` says what happened, for the log. A handler may let these through:
///
/// | code | status | |
/// |---|---|---|
/// | `dns_failed`, `connect_failed`, `tls_failed`, `connection_lost` | 502 | |
/// | `malformed_response`, `too_large`, `unexpected_status`, `unexpected_response` | 502 | |
/// | `too_many_redirects`, `insecure_redirect`, `unrepeatable_redirect`, `address_refused` | 502 | |
/// | `busy`, `client_stopped` | 503 | no connection is to be had |
/// | `timed_out` | 504 | `details.phase` says in which part |
/// | `invalid_url`, `invalid_request` | 500 | our own mistake; check a user's URL with `url::parse` first |
///
/// Cancelling the calling coroutine closes the connection it uses. What a body's producer throws passes
/// through, but for a `failure`.
class client {
 public:
  /// Reads the certificates. Throws std::invalid_argument for settings that cannot be meant.
  explicit client(client_settings settings = client_settings());
  /// A client that calls nobody: `answer` is what it is answered, as a test wants it.
  static client fake(std::function<result<client_response>(const outbound&)> answer);
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;
  ~client();

  task<result<client_response>> get(std::string url) const { return send(outbound::get(std::move(url))); }
  /// Redirects followed, the body read whole.
  task<result<client_response>> send(outbound request) const;
  /// The same, but the body is left to be read piece by piece.
  task<result<client_stream>> open(outbound request) const;

  /// Refuses further calls and closes the connections that no call is using; those in use end with their
  /// call. For `app::component`: handlers are answered by then. A program whose io_context runs out when it
  /// has nothing to do needs this too, since idle connections are something to do.
  task<> stop();

 private:
  struct impl;
  explicit client(std::shared_ptr<impl> i);

  std::shared_ptr<impl> impl_;
};

}  // namespace corbel
