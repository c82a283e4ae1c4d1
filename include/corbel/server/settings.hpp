#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/quantity.hpp>

namespace corbel {

/// What no request may exceed. Each breach is answered with the error envelope, never by a silent close.
struct server_limits {
  std::size_t request_line = 8 * 1024;           ///< bytes; 414 above
  std::size_t header_bytes = 16 * 1024;          ///< all fields together; 431 above
  std::size_t header_count = 100;                ///< fields; 431 above
  std::size_t body_bytes = 1024 * 1024;          ///< unless the route says otherwise; 413 above
  std::size_t connections = 10'000;              ///< but at most 80 % of the process's file limit; 503 above
  std::size_t requests_per_connection = 10'000;  ///< then `Connection: close`

  std::chrono::milliseconds header_timeout{10'000};   ///< from a request's first byte to its blank line; 408
  std::chrono::milliseconds request_timeout{30'000};  ///< from a request's first byte to its last; 408
  std::chrono::milliseconds keep_alive_timeout{75'000};  ///< between requests; then the connection is closed
  std::chrono::milliseconds handler_timeout{30'000};     ///< the handler is cancelled; 503
  std::chrono::milliseconds write_timeout{30'000};       ///< without the client reading anything; then closed
  /// For the TLS handshake, and a PROXY preface before it; then closed.
  std::chrono::milliseconds tls_handshake_timeout{10'000};
  /// Bytes a second, at the least, of a streamed body that we wait for and of an answer that we wait to be
  /// rid of. The time-outs above are how far a client may fall behind. 0 for no such limit.
  std::size_t min_rate = 240;
  /// What bodies on their way in and answers on their way out may hold of memory, all connections together;
  /// 503 above. Streamed bodies hold little.
  std::size_t buffered_bytes = 256 * 1024 * 1024;
};

/// Two PEM files.
struct tls_certificate {
  std::string certificate;  ///< the server's own first, then those that lead to an authority
  std::string key;          ///< its private key, not encrypted
};

/// Whether clients show a certificate. One that is shown is always checked.
enum class client_certificates : std::uint8_t { none, optional, required };

constexpr auto describe(tag<client_certificates>) {
  using namespace rules;
  return enumeration(value("none", client_certificates::none),
                     value("optional", client_certificates::optional),
                     value("required", client_certificates::required));
}

/// How a server speaks TLS: 1.2 with ECDHE and AEAD alone, or 1.3.
struct tls_settings {
  std::string certificate;  ///< PEM file: the server's own first, then those that lead to an authority
  std::string key;          ///< PEM file: its private key, not encrypted
  /// For more names: a client that asks for one of their names (SNI) gets that one. The names, `*.` included,
  /// are those in the certificates. Whoever asks for none of them gets the one above.
  std::vector<tls_certificate> more;

  /// PEM file of the authorities that clients' certificates must come from. Set, every client must show one,
  /// unless `clients` says otherwise.
  std::string client_ca;
  std::optional<client_certificates> clients;
};

/// TLS_CERTIFICATE, TLS_KEY, TLS_CLIENT_CA and TLS_CLIENTS.
constexpr auto describe(tag<tls_settings>) {
  using namespace rules;
  using s = tls_settings;
  return object(
      field("certificate", &s::certificate, text().min(1).file().example("/etc/ssl/certs/example.org.pem")),
      field("key", &s::key, text().min(1).file().example("/etc/ssl/private/example.org.key")),
      field("clientCa", &s::client_ca, text().file().example("/etc/ssl/certs/clients.pem").defaulted()),
      field("clients", &s::clients));
}

/// The fields in which trusted proxies tell of the client.
enum class proxy_headers : std::uint8_t {
  either,       ///< X-Forwarded-* when there are any, otherwise Forwarded
  x_forwarded,  ///< X-Forwarded-For, -Proto, -Host and -Port
  forwarded,    ///< RFC 7239
};

constexpr auto describe(tag<proxy_headers>) {
  using namespace rules;
  return enumeration(value("either", proxy_headers::either), value("x-forwarded", proxy_headers::x_forwarded),
                     value("forwarded", proxy_headers::forwarded));
}

/// Whether connections begin with HAProxy's PROXY protocol, version 1 or 2.
enum class proxy_protocol : std::uint8_t {
  off,
  required,  ///< every connection must come from a trusted proxy, and begin with it
};

constexpr auto describe(tag<proxy_protocol>) {
  using namespace rules;
  return enumeration(value("off", proxy_protocol::off), value("required", proxy_protocol::required));
}

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

  std::optional<tls_settings> tls;  ///< without it the server speaks plain HTTP

  /// Networks such as "10.0.0.0/8", "fd00::/8" or "192.0.2.7", whose word about the client counts: a request
  /// from there has the `client()`, `scheme()` and `host()` that its forwarding fields tell. Name your
  /// proxies alone: whoever is listed can pass for anybody.
  std::vector<std::string> trusted_proxies;
  corbel::proxy_headers proxy_headers = corbel::proxy_headers::either;
  corbel::proxy_protocol proxy_protocol = corbel::proxy_protocol::off;
};

/// The variables that `settings::from_environment<server_settings>()` reads: HOST, PORT, THREADS,
/// DRAIN_TIMEOUT, DRAIN_DELAY, IDLE_GRACE, HANDOVER_SOCKET, SHED_LOAD, those of TLS, TRUSTED_PROXIES,
/// PROXY_HEADERS and PROXY_PROTOCOL. Limits are the program's to set.
constexpr auto describe(tag<server_settings>) {
  using namespace rules;
  return object(field("host", &server_settings::host, text().min(1).defaulted()),
                field("port", &server_settings::port, defaulted()),
                field("threads", &server_settings::threads, number().max(1024).defaulted()),
                field("drainTimeout", &server_settings::drain_timeout, defaulted()),
                field("drainDelay", &server_settings::drain_delay, defaulted()),
                field("idleGrace", &server_settings::idle_grace, defaulted()),
                field("handoverSocket", &server_settings::handover_socket,
                      text().max(90).file().example("/run/app/handover.sock").defaulted()),
                field("shedLoad", &server_settings::shed_load, defaulted()),
                field("tls", &server_settings::tls),
                field("trustedProxies", &server_settings::trusted_proxies, defaulted()),
                field("proxyHeaders", &server_settings::proxy_headers, defaulted()),
                field("proxyProtocol", &server_settings::proxy_protocol, defaulted()));
}

}  // namespace corbel
