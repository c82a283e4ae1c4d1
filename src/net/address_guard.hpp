#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/base/result.hpp"

namespace corbel::net {

/// "10.0.0.0/8", or one address.
struct network {
  boost::asio::ip::address base;
  unsigned bits = 0;

  bool holds(const boost::asio::ip::address& a) const noexcept;
};

/// What may be connected to: public addresses, and what these open besides.
struct guard_rules {
  /// Loopback, private (RFC 1918, RFC 4193) and shared (RFC 6598) addresses.
  bool allow_private = false;
  /// Names and addresses that may resolve to anything; a leading dot takes all names below.
  std::vector<std::string> allow_hosts;
  /// Such as "10.1.0.0/16", or one address.
  std::vector<std::string> allow_networks;
  /// Empty for all.
  std::vector<std::uint16_t> allow_ports;
  /// What its user calls the settings above, for messages, and what else a refusal advises.
  std::string settings;
  std::string advice;
};

/// Decides which addresses may be connected to. It is asked with the very address that the socket then
/// connects to, so a name that changes its mind between the check and the connection gains nothing.
class address_guard {
 public:
  /// Throws std::invalid_argument for a network or a host name that cannot be meant.
  explicit address_guard(const guard_rules& rules);

  /// Null when the address may be connected to; otherwise what it is, such as "a private address".
  const char* objection(const boost::asio::ip::address& a) const noexcept;
  /// Whether the operator named this host, in lower case: then it may resolve to anything.
  bool names(std::string_view host) const noexcept;
  bool port_allowed(std::uint16_t port) const noexcept;
  /// Those of a host's addresses that may be connected to; `address_refused`, with the way to allow it, when
  /// none may. A name that has both kinds is called at the others. `authority` is for the message.
  result<std::vector<boost::asio::ip::tcp::endpoint>> admit(
      std::string_view host, std::string_view authority,
      std::vector<boost::asio::ip::tcp::endpoint> found) const;

 private:
  bool allow_private_;
  std::vector<std::string> hosts_;
  std::vector<network> networks_;
  std::vector<std::uint16_t> ports_;
  std::string settings_;
  std::string advice_;
};

}  // namespace corbel::net
