#include "net/address_guard.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "net/failures.hpp"

namespace corbel::net {
namespace {

namespace ip = boost::asio::ip;

enum class reach : std::uint8_t { open_when_private_is, never };

struct v4_range {
  std::uint32_t base;
  unsigned bits;
  const char* what;
  reach kind = reach::never;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0, std::uint32_t d = 0) {
  return a << 24 | b << 16 | c << 8 | d;
}

/// IANA's special-purpose registry (RFC 6890 and its updates): all that is not globally reachable.
constexpr v4_range v4_ranges[] = {
    {v4(0), 8, "an unspecified address"},
    {v4(10), 8, "a private address", reach::open_when_private_is},
    {v4(100, 64), 10, "a shared carrier address", reach::open_when_private_is},
    {v4(127), 8, "a loopback address", reach::open_when_private_is},
    {v4(169, 254), 16, "a link-local address"},
    {v4(172, 16), 12, "a private address", reach::open_when_private_is},
    {v4(192, 0, 0), 24, "an address of special purpose"},
    {v4(192, 0, 2), 24, "a documentation address"},
    {v4(192, 31, 196), 24, "an address of special purpose"},
    {v4(192, 52, 193), 24, "an address of special purpose"},
    {v4(192, 88, 99), 24, "a 6to4 relay"},
    {v4(192, 168), 16, "a private address", reach::open_when_private_is},
    {v4(192, 175, 48), 24, "an address of special purpose"},
    {v4(198, 18), 15, "a benchmarking address"},
    {v4(198, 51, 100), 24, "a documentation address"},
    {v4(203, 0, 113), 24, "a documentation address"},
    {v4(224), 4, "a multicast address"},
    {v4(240), 4, "a reserved address"},
};

bool same_bits(const unsigned char* a, const unsigned char* b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a, a + whole, b)) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - bits % 8));
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

const char* objection_v4(std::uint32_t a, bool allow_private) {
  for (const auto& range : v4_ranges)
    if (((a ^ range.base) >> (32 - range.bits)) == 0)
      return allow_private && range.kind == reach::open_when_private_is ? nullptr : range.what;
  return nullptr;
}

struct v6_range {
  const char* base;
  unsigned bits;
  const char* what;
  reach kind = reach::never;
};

constexpr v6_range v6_ranges[] = {
    {"::1", 128, "a loopback address", reach::open_when_private_is},
    {"::", 128, "an unspecified address"},
    {"::ffff:0:0", 96, "an IPv4 address in IPv6 clothes"},
    {"::", 96, "an IPv4 address in IPv6 clothes"},
    {"fc00::", 7, "a private address", reach::open_when_private_is},
    {"fe80::", 10, "a link-local address"},
    {"fec0::", 10, "a site-local address"},
    {"ff00::", 8, "a multicast address"},
    {"2001:db8::", 32, "a documentation address"},
    {"2001::", 23, "an address of special purpose"},  // Teredo and ORCHID among them
    {"2002::", 16, "an IPv4 address in IPv6 clothes"},
    {"3fff::", 20, "a documentation address"},
};

struct v6_parsed {
  ip::address_v6::bytes_type base;
  unsigned bits;
  const char* what;
  reach kind;
};

const std::vector<v6_parsed>& parsed_v6_ranges() {
  static const auto all = [] {
    std::vector<v6_parsed> made;
    for (const auto& range : v6_ranges)
      made.push_back({ip::make_address_v6(range.base).to_bytes(), range.bits, range.what, range.kind});
    return made;
  }();
  return all;
}

const char* objection_v6(const ip::address_v6& address, bool allow_private) {
  const auto a = address.to_bytes();
  for (const auto& range : parsed_v6_ranges())
    if (same_bits(a.data(), range.base.data(), range.bits))
      return allow_private && range.kind == reach::open_when_private_is ? nullptr : range.what;
  // NAT64 (RFC 6052): in networks of IPv6 alone every IPv4 host is reached so; what counts is the inner one.
  constexpr unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
  if (std::equal(nat64, nat64 + 12, a.begin()))
    return objection_v4(v4(a[12], a[13], a[14], a[15]), allow_private);
  if ((a[0] & 0xe0) != 0x20) return "an address outside the public internet";
  return nullptr;
}

network read_network(const std::string& text, const std::string& settings) {
  const auto slash = text.find('/');
  boost::system::error_code bad;
  network made;
  made.base = ip::make_address(text.substr(0, slash), bad);
  const unsigned most = made.base.is_v4() ? 32 : 128;
  made.bits = most;
  bool readable = !bad;
  if (readable && slash != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + slash + 1, end, made.bits);
    readable = read.ec == std::errc{} && read.ptr == end && made.bits <= most;
  }
  if (!readable)
    throw std::invalid_argument(settings + "::allow_networks: \"" + text +
                                "\" is no network; write one like 10.0.0.0/8 or fd00::/8");
  return made;
}

}  // namespace

bool network::holds(const ip::address& a) const noexcept {
  if (a.is_v4() != base.is_v4()) return false;
  if (a.is_v4()) {
    const auto x = a.to_v4().to_bytes();
    const auto y = base.to_v4().to_bytes();
    return same_bits(x.data(), y.data(), bits);
  }
  const auto x = a.to_v6().to_bytes();
  const auto y = base.to_v6().to_bytes();
  return same_bits(x.data(), y.data(), bits);
}

address_guard::address_guard(const guard_rules& rules)
    : allow_private_(rules.allow_private),
      ports_(rules.allow_ports),
      settings_(rules.settings),
      advice_(rules.advice) {
  for (const auto& each : rules.allow_networks) networks_.push_back(read_network(each, settings_));
  for (auto host : rules.allow_hosts) {
    for (char& c : host)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (host.empty() || host == "." || host.find_first_of("*/:@ ") != std::string::npos)
      if (boost::system::error_code bad; ip::make_address(host, bad), bad)
        throw std::invalid_argument(
            settings_ + "::allow_hosts: \"" + host +
            "\" is no host name; write one like users.internal, or .internal for all below");
    hosts_.push_back(std::move(host));
  }
}

const char* address_guard::objection(const ip::address& a) const noexcept {
  for (const auto& each : networks_)
    if (each.holds(a)) return nullptr;
  if (a.is_v4()) return objection_v4(a.to_v4().to_uint(), allow_private_);
  return objection_v6(a.to_v6(), allow_private_);
}

bool address_guard::names(std::string_view host) const noexcept {
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& each) {
    if (each.front() != '.') return each == host;
    return host.size() > each.size() && host.substr(host.size() - each.size()) == each;
  });
}

result<std::vector<ip::tcp::endpoint>> address_guard::admit(std::string_view host, std::string_view authority,
                                                            std::vector<ip::tcp::endpoint> found) const {
  if (names(host)) return found;
  std::string objections;
  std::erase_if(found, [&](const ip::tcp::endpoint& each) {
    const char* const against = objection(each.address());
    if (against) objections += ' ' + each.address().to_string() + " is " + against + ';';
    return against != nullptr;
  });
  if (!found.empty()) return found;
  return unreachable("address_refused", "calls to " + std::string(authority) + " are refused:" + objections +
                                            " if it is a service of your own, name it in " + settings_ +
                                            "::allow_hosts, name its network in allow_networks" + advice_);
}

bool address_guard::port_allowed(std::uint16_t port) const noexcept {
  return ports_.empty() || std::find(ports_.begin(), ports_.end(), port) != ports_.end();
}

}  // namespace corbel::net
