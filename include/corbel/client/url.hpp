#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <corbel/base/result.hpp>

namespace corbel {

/// An absolute http or https URL that has only one reading (RFC 3986, and stricter): no user information, no
/// address in a form that some parsers take for another (0x7f.1, 127.1, 017.0.0.1), ASCII alone. It owns its
/// text.
class url {
 public:
  /// The error is `invalid_url`, and says which rule the text breaks. A fragment is checked and dropped.
  static result<url> parse(std::string_view text);

  /// Reads `reference`, such as a Location field, against this URL (RFC 3986, 5.2). Bytes that should have
  /// been percent-encoded in a path or a query are encoded, since servers leave that out so often.
  result<url> resolve(std::string_view reference) const;

  bool https() const noexcept { return https_; }
  /// In lower case, an IPv6 address without its brackets.
  const std::string& host() const noexcept { return host_; }
  /// Whether the host is an IPv4 or IPv6 address, not a name.
  bool host_is_address() const noexcept { return address_; }
  std::uint16_t port() const noexcept { return port_; }
  /// Path and query as they go into the request line; at least "/".
  const std::string& target() const noexcept { return target_; }

  /// "api.example.com", "[2001:db8::1]:8080": host and port, but not a scheme's own port.
  std::string authority() const;
  /// Scheme, host and port (RFC 6454): what must be the same for credentials to travel on.
  std::string origin() const;
  /// The whole URL in this normal form.
  std::string text() const { return origin() + target_; }

  /// Adds `name=value` to the query, both percent-encoded.
  void add_query(std::string_view name, std::string_view value);

  friend bool operator==(const url&, const url&) = default;

 private:
  bool https_ = false;
  bool address_ = false;
  std::uint16_t port_ = 80;
  std::string host_;
  std::string target_ = "/";
};

}  // namespace corbel
