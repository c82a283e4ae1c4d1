#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corbel {

/// An IPv4 or IPv6 address. An IPv4 address in IPv6 clothes (::ffff:192.0.2.1, RFC 4291, 2.5.5.2) is the IPv4
/// address: a socket that listens on :: names its IPv4 clients so, and rules must not depend on that.
class ip_address {
 public:
  using octets = std::array<unsigned char, 16>;

  /// 0.0.0.0
  ip_address() noexcept : ip_address(std::uint32_t{0}) {}
  /// In host order: 0x7f000001 is 127.0.0.1.
  explicit ip_address(std::uint32_t v4) noexcept;
  /// In network order.
  explicit ip_address(const octets& v6) noexcept : bytes_(v6) {}

  /// "192.0.2.1" without leading zeros, or "2001:db8::1" (RFC 4291, 2.2) without brackets or a zone. Nothing
  /// for any other text.
  static std::optional<ip_address> parse(std::string_view text) noexcept;

  bool is_v4() const noexcept;
  /// An IPv4 address as ::ffff:a.b.c.d; in network order.
  const octets& bytes() const noexcept { return bytes_; }
  /// In its canonical form (RFC 5952).
  std::string to_string() const;

  auto operator<=>(const ip_address&) const noexcept = default;

 private:
  octets bytes_;
};

/// The addresses that share their first bits, such as 10.0.0.0/8.
class ip_network {
 public:
  /// The one address.
  explicit ip_network(const ip_address& only) noexcept : base_(only), bits_(128) {}

  /// "10.0.0.0/8", "fd00::/8", or an address alone. Nothing when it cannot be read, or when bits behind the
  /// prefix are set: "10.1.2.3/8" is more likely a slip than a network.
  static std::optional<ip_network> parse(std::string_view text) noexcept;

  bool contains(const ip_address& a) const noexcept;
  std::string to_string() const;

  bool operator==(const ip_network&) const noexcept = default;

 private:
  ip_address base_;
  unsigned bits_;  // of the 128
};

}  // namespace corbel
