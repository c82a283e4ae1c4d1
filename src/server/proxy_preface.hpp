#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "corbel/base/ip_address.hpp"

namespace corbel {

/// What the PROXY protocol (HAProxy's specification, versions 1 and 2) tells ahead of a connection's bytes.
struct proxy_preface {
  /// The client's address. Nothing when the proxy speaks for itself (LOCAL), or does not know (UNKNOWN,
  /// UNSPEC, a Unix socket): then the connection's own peer stands.
  std::optional<ip_address> source;
  std::uint16_t source_port = 0;
  bool tls = false;  ///< the client came to the proxy by TLS (PP2_TYPE_SSL)
};

/// A preface above this is refused. Addresses take 52 bytes; the rest is for what proxies tell besides.
inline constexpr std::size_t most_proxy_preface = 4096;

enum class preface_outcome : std::uint8_t { incomplete, complete, refused };

/// Looks at the first bytes of a connection. `size` becomes how many of them belong to the preface for
/// certain: with `incomplete` it may be all of them, never more.
preface_outcome read_proxy_preface(std::string_view bytes, std::size_t& size, proxy_preface& out);

}  // namespace corbel
