#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "corbel/base/ip_address.hpp"
#include "corbel/http/request.hpp"
#include "corbel/http/tls_info.hpp"

namespace corbel {

/// Whose word about the client counts, and in which fields. Where a request has both kinds and both count,
/// X-Forwarded-* decides.
struct proxy_trust {
  std::vector<ip_network> networks;
  bool x_forwarded = true;
  bool forwarded = true;

  bool trusts(const ip_address& a) const noexcept {
    for (const auto& each : networks)
      if (each.contains(a)) return true;
    return false;
  }
};

/// What a connection knows beyond its peer's address. Most plain connections know nothing, and have none. It
/// may outlive its connection, by a handler that has not ended yet.
struct connection_facts {
  std::optional<tls_info> tls;
  bool tls_before_us = false;                  ///< as the PROXY protocol tells of the client's connection
  std::optional<ip_address> peer;              ///< when it is a trusted proxy
  std::shared_ptr<const proxy_trust> proxies;  ///< not null when `peer` is there
};

/// Where a request came from, as those who passed it on tell.
struct request_origin {
  std::string client;
  std::string scheme;  ///< "http", "https", or empty when nobody tells
  std::string host;    ///< empty when nobody tells
};

/// Reads Forwarded (RFC 7239) or the X-Forwarded fields of a request whose `peer` is trusted: from the right,
/// over the hops that are trusted, to the first that is not. Whatever the fields hold, nothing is thrown but
/// for want of memory, and no more than 32 hops are looked at.
request_origin origin_of(const request& in, const ip_address& peer, const proxy_trust& trust);

}  // namespace corbel
