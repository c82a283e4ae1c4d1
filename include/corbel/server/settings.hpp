#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/quantity.hpp>

namespace corbel {

/// What no request may exceed. Each breach is answered with the error envelope, never by a silent close.
struct server_limits {
  std::size_t request_line = 8 * 1024;         ///< bytes; 414 above
  std::size_t header_bytes = 16 * 1024;        ///< all fields together; 431 above
  std::size_t header_count = 100;              ///< fields; 431 above
  std::size_t body_bytes = 1024 * 1024;        ///< unless the route says otherwise; 413 above
  std::size_t connections = 10'000;            ///< but at most 80 % of the process's file limit; 503 above
  std::size_t requests_per_connection = 1000;  ///< then `Connection: close`

  std::chrono::milliseconds header_timeout{10'000};   ///< from a request's first byte to its blank line; 408
  std::chrono::milliseconds request_timeout{30'000};  ///< from a request's first byte to its last; 408
  std::chrono::milliseconds keep_alive_timeout{75'000};  ///< between requests; then the connection is closed
  std::chrono::milliseconds handler_timeout{30'000};     ///< the handler is cancelled; 503
  std::chrono::milliseconds write_timeout{30'000};       ///< without the client reading anything; then closed
  /// Bytes a second, at the least, of a streamed body that we wait for and of an answer that we wait to be
  /// rid of. The time-outs above are how far a client may fall behind. 0 for no such limit.
  std::size_t min_rate = 240;
  /// What bodies on their way in and answers on their way out may hold of memory, all connections together;
  /// 503 above. Streamed bodies hold little.
  std::size_t buffered_bytes = 256 * 1024 * 1024;
};

/// Where and how a server listens.
struct server_settings {
  // Declared, because GCC 12 warns of uninitialised members where an aggregate of these is made by `{}`.
  server_settings() = default;

  std::string host = "127.0.0.1";  ///< a numeric address; "0.0.0.0" or "::" for every interface
  std::uint16_t port = 8080;       ///< 0 lets the system choose; `server::port()` tells which
  /// A Unix socket's path, by which `app::run` takes over the port of the process that serves there, and
  /// hands it over to the next one. Its folder should be writable for this user alone. Empty for neither.
  std::string handover_socket{};
  std::size_t threads = 0;  ///< event loops, each on a thread of its own; 0 for one per core
  int backlog = 4096;
  std::chrono::milliseconds drain_timeout{10'000};  ///< how long requests in flight may take after a stop
  /// How long a stop goes on serving as before, with `/readyz` at 503, until whoever spreads the load has
  /// looked there and sends no more.
  std::chrono::milliseconds drain_delay{0};
  /// How long a stop waits for a request on a connection that is idle, to answer it with `Connection: close`:
  /// closed at once, a connection may lose a request that is on its way.
  std::chrono::milliseconds idle_grace{1'000};
  /// Under overload, refuse with 503 and Retry-After what would come too late anyway. Routes that are marked
  /// `never_shed`, such as the health routes, are served all the same.
  bool shed_load = true;
  /// The wait for a turn above which load is shed, once it has lasted five times as long. Shorter than what
  /// the clients wait for an answer, longer than what one request keeps its thread busy for.
  std::chrono::milliseconds shed_above{100};
  server_limits limits{};
};

/// The variables that `settings::from_environment<server_settings>()` reads: HOST, PORT, THREADS,
/// DRAIN_TIMEOUT, DRAIN_DELAY, IDLE_GRACE, HANDOVER_SOCKET and SHED_LOAD. Limits are the program's to set.
constexpr auto describe(tag<server_settings>) {
  using namespace rules;
  return object(field("host", &server_settings::host, text().min(1).defaulted()),
                field("port", &server_settings::port, defaulted()),
                field("threads", &server_settings::threads, number().max(1024).defaulted()),
                field("drainTimeout", &server_settings::drain_timeout, defaulted()),
                field("drainDelay", &server_settings::drain_delay, defaulted()),
                field("idleGrace", &server_settings::idle_grace, defaulted()),
                field("handoverSocket", &server_settings::handover_socket, text().max(90).defaulted()),
                field("shedLoad", &server_settings::shed_load, defaulted()));
}

}  // namespace corbel
