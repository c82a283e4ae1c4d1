#include "corbel/base/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace corbel {
namespace {

/// How an IPv4 address begins when it is written as an IPv6 address.
constexpr std::array<unsigned char, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned v4_prefix_bits = 96;

bool bit(const ip_address::octets& bytes, unsigned at) {
  return (bytes[at / 8] >> (7 - at % 8) & 1) != 0;
}

}  // namespace

ip_address::ip_address(std::uint32_t v4) noexcept : bytes_{} {
  std::copy(v4_prefix.begin(), v4_prefix.end(), bytes_.begin());
  for (unsigned i = 0; i < 4; ++i) bytes_[12 + i] = static_cast<unsigned char>(v4 >> (24 - 8 * i));
}

std::optional<ip_address> ip_address::parse(std::string_view text) noexcept {
  char terminated[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof terminated) return {};
  if (text.find('\0') != std::string_view::npos) return {};  // C would stop there
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  octets bytes{};
  if (text.find(':') != std::string_view::npos) {
    if (::inet_pton(AF_INET6, terminated, bytes.data()) != 1) return {};
  } else {
    std::copy(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
    if (::inet_pton(AF_INET, terminated, bytes.data() + v4_prefix.size()) != 1) return {};
  }
  return ip_address(bytes);
}

bool ip_address::is_v4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes_.begin());
}

std::string ip_address::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4())
    ::inet_ntop(AF_INET, bytes_.data() + v4_prefix.size(), text, sizeof text);
  else
    ::inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

std::optional<ip_network> ip_network::parse(std::string_view text) noexcept {
  const auto slash = text.find('/');
  const auto base = ip_address::parse(text.substr(0, slash));
  if (!base) return {};
  ip_network made(*base);
  if (slash == std::string_view::npos) return made;
  const auto digits = text.substr(slash + 1);
  // "::ffff:10.0.0.0/104" counts its bits as it is written.
  const bool short_form = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned before = short_form ? v4_prefix_bits : 0;
  unsigned bits = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return {};
  if (bits > 128 - before || (digits.size() > 1 && digits.front() == '0')) return {};
  made.bits_ = before + bits;
  for (unsigned i = made.bits_; i < 128; ++i)
    if (bit(base->bytes(), i)) return {};
  return made;
}

bool ip_network::contains(const ip_address& a) const noexcept {
  const auto& mine = base_.bytes();
  const auto& other = a.bytes();
  const unsigned whole = bits_ / 8;
  // "::/0" is every IPv6 address, not every address: an IPv4 client is matched by IPv4 networks alone.
  if (bits_ < v4_prefix_bits && a.is_v4()) return false;
  if (!std::equal(mine.begin(), mine.begin() + whole, other.begin())) return false;
  return bits_ % 8 == 0 || (mine[whole] ^ other[whole]) >> (8 - bits_ % 8) == 0;
}

std::string ip_network::to_string() const {
  const unsigned before = base_.is_v4() ? v4_prefix_bits : 0;
  return base_.to_string() + '/' + std::to_string(bits_ - before);
}

}  // namespace corbel
