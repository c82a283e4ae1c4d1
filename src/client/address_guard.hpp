#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/client/settings.hpp"

namespace corbel::outgoing {

/// "10.0.0.0/8", or one address.
struct network {
  boost::asio::ip::address base;
  unsigned bits = 0;

  bool holds(const boost::asio::ip::address& a) const noexcept;
};

/// Decides which addresses may be connected to. It is asked with the very address that the socket then
/// connects to, so a name that changes its mind between the check and the connection gains nothing.
class address_guard {
 public:
  /// Throws std::invalid_argument for a network that cannot be read.
  explicit address_guard(const client_settings& settings);

  /// Null when the address may be connected to; otherwise what it is, such as "a private address".
  const char* objection(const boost::asio::ip::address& a) const noexcept;
  /// Whether the operator named this host, in lower case: then it may resolve to anything.
  bool names(std::string_view host) const noexcept;
  bool port_allowed(std::uint16_t port) const noexcept;

 private:
  bool allow_private_;
  std::vector<std::string> hosts_;
  std::vector<network> networks_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace corbel::outgoing
