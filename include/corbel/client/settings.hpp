#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/quantity.hpp>

namespace corbel {

/// How long each part of a call may take; zero for no limit of its own. All stop at `total`.
struct client_timeouts {
  // Declared, because GCC 12 warns of uninitialised members where an aggregate of these is made by `{}`.
  client_timeouts() = default;

  std::chrono::milliseconds connect{5'000};      ///< the name's lookup and all its addresses together
  std::chrono::milliseconds handshake{5'000};    ///< TLS
  std::chrono::milliseconds first_byte{15'000};  ///< from the request's last byte to the response's head
  std::chrono::milliseconds idle{15'000};        ///< without a byte read or written in between
  std::chrono::milliseconds total{30'000};  ///< redirects, waiting for a connection and the body included
};

/// What a call, and a loop's pool of connections, may grow to. Connections are counted for each event loop.
struct client_limits {
  client_limits() = default;

  std::size_t connections_per_origin = 64;       ///< to one scheme, host and port
  std::size_t connections = 256;                 ///< to all of them
  std::size_t waiting = 1024;                    ///< calls that wait for a connection; `busy` above
  std::chrono::milliseconds keep_alive{30'000};  ///< unused for longer, a connection is closed
  std::chrono::milliseconds connection_age{
      600'000};                          ///< older, it is not used again: names move to new addresses
  std::size_t header_bytes = 64 * 1024;  ///< of a response; `too_large` above
  std::size_t header_count = 256;
  byte_size body{8 * 1024 * 1024};  ///< of a response, after decompression; `too_large` above
  std::size_t redirects = 5;        ///< followed by itself; 0 hands 3xx responses to the caller
};

/// How servers are known, and the client to them.
struct client_tls {
  client_tls() = default;

  bool system_authorities = true;  ///< trust what the system trusts
  std::string authority_file;      ///< PEM; trusted besides, such as a company's own authority
  std::string certificate_file;    ///< PEM chain that the client shows; goes with `key_file`
  std::string key_file;
  /// Whoever sits on the way can then read and change every call. There is no good reason outside of an
  /// experiment: an `authority_file` makes a self-signed server trusted.
  bool dangerously_accept_any_certificate = false;
};

/// How outbound calls behave. The plain default calls public addresses alone, whoever wrote the URL.
struct client_settings {
  client_settings() = default;

  /// For calling the services of one's own network: private addresses are let through, redirects are handed
  /// to the caller. For URLs that the program or its configuration wrote, never for a user's.
  static client_settings for_own_services();
  /// For URLs that users wrote (web hooks, previews, imports): public addresses on ports 80 and 443 only, at
  /// most 3 redirects, 1 MiB, 10 s.
  static client_settings for_user_supplied_urls();

  /// Lets loopback, private (RFC 1918, RFC 4193) and shared (RFC 6598) addresses through. Link-local
  /// addresses, where clouds keep their credentials, stay closed even then.
  bool allow_private = false;
  /// Host names and addresses that may be called whatever they resolve to, such as "users.internal"; a
  /// leading dot takes all names below: ".svc.cluster.local". Whoever chooses a URL reaches these.
  std::vector<std::string> allow_hosts;
  /// Networks that may be called although they are not public, such as "10.1.0.0/16" or "fd00:1::/32".
  std::vector<std::string> allow_networks;
  /// The only ports that may be called; empty for all.
  std::vector<std::uint16_t> allow_ports;
  /// Follows a redirect from https to http.
  bool allow_insecure_redirects = false;
  /// Asks for gzip and undoes it.
  bool decompress = true;
  /// "http://proxy.internal:3128": every call goes through it, https in a tunnel (CONNECT). The proxy then
  /// looks names up, so the guard here judges ports and addresses that are written out, and no names: give
  /// the proxy rules of its own.
  std::string proxy;
  std::string user_agent = "corbel";

  client_timeouts timeouts = client_timeouts();
  client_limits limits = client_limits();
  client_tls tls = client_tls();
};

constexpr auto describe(tag<client_timeouts>) {
  using namespace rules;
  using t = client_timeouts;
  return object(field("connect", &t::connect, defaulted()), field("handshake", &t::handshake, defaulted()),
                field("firstByte", &t::first_byte, defaulted()), field("idle", &t::idle, defaulted()),
                field("total", &t::total, defaulted()));
}

constexpr auto describe(tag<client_limits>) {
  using namespace rules;
  using l = client_limits;
  return object(field("connectionsPerOrigin", &l::connections_per_origin, number().min(1).defaulted()),
                field("connections", &l::connections, number().min(1).defaulted()),
                field("waiting", &l::waiting, defaulted()), field("keepAlive", &l::keep_alive, defaulted()),
                field("connectionAge", &l::connection_age, defaulted()), field("body", &l::body, defaulted()),
                field("redirects", &l::redirects, number().max(20).defaulted()));
}

constexpr auto describe(tag<client_tls>) {
  using namespace rules;
  using t = client_tls;
  return object(field("systemAuthorities", &t::system_authorities, defaulted()),
                field("authorityFile", &t::authority_file, text().file().defaulted()),
                field("certificateFile", &t::certificate_file, text().file().defaulted()),
                field("keyFile", &t::key_file, text().file().defaulted()));
}

/// The variables that `settings::from_environment<client_settings>("HTTP_CLIENT")` reads. That every
/// certificate is accepted can be said in code alone.
constexpr auto describe(tag<client_settings>) {
  using namespace rules;
  using s = client_settings;
  return object(field("allowPrivate", &s::allow_private, defaulted()),
                field("allowHosts", &s::allow_hosts, defaulted()),
                field("allowNetworks", &s::allow_networks, defaulted()),
                field("allowPorts", &s::allow_ports, defaulted()),
                field("allowInsecureRedirects", &s::allow_insecure_redirects, defaulted()),
                field("decompress", &s::decompress, defaulted()), field("proxy", &s::proxy, defaulted()),
                field("userAgent", &s::user_agent, defaulted()), field("timeouts", &s::timeouts, defaulted()),
                field("limits", &s::limits, defaulted()), field("tls", &s::tls, defaulted()));
}

}  // namespace corbel
