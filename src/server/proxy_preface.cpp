#include "server/proxy_preface.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace corbel {
namespace {

constexpr std::string_view signature_1 = "PROXY ";
constexpr std::string_view signature_2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t most_of_1 = 107;  // with CR LF
constexpr std::size_t head_of_2 = 16;
constexpr std::size_t head_of_field = 3;

constexpr std::uint8_t field_checksum = 0x03;
constexpr std::uint8_t field_tls = 0x20;

std::uint8_t octet(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(octet(bytes, at) << 8 | octet(bytes, at + 1));
}

std::string_view next_word(std::string_view& rest) {
  const auto space = rest.find(' ');
  const auto word = rest.substr(0, space);
  rest = space == std::string_view::npos ? std::string_view{} : rest.substr(space + 1);
  return word;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return {};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), port);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return {};
  return port;
}

/// `line` has lost its signature and its CR LF.
bool read_line(std::string_view line, proxy_preface& out) {
  const auto family = next_word(line);
  if (family == "UNKNOWN") return true;  // what follows is to be ignored
  if (family != "TCP4" && family != "TCP6") return false;
  const bool four = family == "TCP4";
  const auto source_text = next_word(line);
  const auto target_text = next_word(line);
  // By the text's form: an IPv4 address in IPv6 clothes may come as TCP6.
  for (const auto text : {source_text, target_text})
    if ((text.find(':') == std::string_view::npos) != four) return false;
  const auto source = ip_address::parse(source_text);
  const auto target = ip_address::parse(target_text);
  const auto source_port = port_of(next_word(line));
  const auto target_port = port_of(line);
  if (!source || !target || !source_port || !target_port) return false;
  out.source = source;
  out.source_port = *source_port;
  return true;
}

preface_outcome read_version_1(std::string_view bytes, std::size_t& size, proxy_preface& out) {
  const auto known = std::min(bytes.size(), signature_1.size());
  if (bytes.substr(0, known) != signature_1.substr(0, known)) return preface_outcome::refused;
  const auto end = bytes.substr(0, most_of_1).find('\n');
  if (end == std::string_view::npos) {
    size = bytes.size();
    return bytes.size() < most_of_1 ? preface_outcome::incomplete : preface_outcome::refused;
  }
  size = end + 1;
  if (end <= signature_1.size() || bytes[end - 1] != '\r') return preface_outcome::refused;
  const auto line = bytes.substr(signature_1.size(), end - 1 - signature_1.size());
  if (line.find('\r') != std::string_view::npos) return preface_outcome::refused;
  return read_line(line, out) ? preface_outcome::complete : preface_outcome::refused;
}

/// CRC-32C (RFC 3720, B.4), as if the four bytes at `zeroed` were zero.
std::uint32_t checksum(std::string_view bytes, std::size_t zeroed) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
      made[i] = crc;
    }
    return made;
  }();
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint8_t byte = i >= zeroed && i < zeroed + 4 ? std::uint8_t{0} : octet(bytes, i);
    crc = table[(crc ^ byte) & 0xff] ^ crc >> 8;
  }
  return ~crc;
}

/// The fields behind the addresses (type, length, value): all must fit, most are skipped.
bool read_fields(std::string_view whole, std::size_t at, proxy_preface& out) {
  while (at < whole.size()) {
    if (whole.size() - at < head_of_field) return false;
    const std::uint8_t type = octet(whole, at);
    const std::size_t length = number_at(whole, at + 1);
    at += head_of_field;
    if (whole.size() - at < length) return false;
    if (type == field_checksum) {
      if (length != 4) return false;
      const auto told = static_cast<std::uint32_t>(number_at(whole, at)) << 16 | number_at(whole, at + 2);
      if (checksum(whole, at) != told) return false;
    }
    if (type == field_tls) {
      if (length < 5) return false;
      out.tls = (octet(whole, at) & 1) != 0;
    }
    at += length;
  }
  return true;
}

bool read_addresses(std::string_view whole, proxy_preface& out) {
  const std::uint8_t command = octet(whole, 12) & 0x0f;
  const std::uint8_t family = octet(whole, 13) >> 4;
  const std::uint8_t transport = octet(whole, 13) & 0x0f;
  if (command == 0) return true;  // LOCAL: the rest is to be skipped unread
  if (family > 3 || transport > 2) return false;
  constexpr std::size_t sizes[] = {0, 12, 36, 216};
  const std::size_t size = sizes[family];
  if (whole.size() - head_of_2 < size) return false;
  proxy_preface told;
  if (family == 1) {
    std::uint32_t four = 0;
    for (std::size_t i = 0; i < 4; ++i) four = four << 8 | octet(whole, head_of_2 + i);
    told.source = ip_address(four);
    told.source_port = number_at(whole, head_of_2 + 8);
  } else if (family == 2) {
    ip_address::octets six{};
    for (std::size_t i = 0; i < six.size(); ++i) six[i] = octet(whole, head_of_2 + i);
    told.source = ip_address(six);
    told.source_port = number_at(whole, head_of_2 + 32);
  }
  if (!read_fields(whole, head_of_2 + size, told)) return false;
  out = told;
  return true;
}

preface_outcome read_version_2(std::string_view bytes, std::size_t& size, proxy_preface& out) {
  const auto known = std::min(bytes.size(), signature_2.size());
  if (bytes.substr(0, known) != signature_2.substr(0, known)) return preface_outcome::refused;
  size = std::min(bytes.size(), head_of_2);
  if (bytes.size() > 12 && ((octet(bytes, 12) >> 4) != 2 || (octet(bytes, 12) & 0x0f) > 1))
    return preface_outcome::refused;
  if (bytes.size() < head_of_2) return preface_outcome::incomplete;
  const std::size_t whole = head_of_2 + number_at(bytes, 14);
  if (whole > most_proxy_preface) return preface_outcome::refused;
  size = std::min(bytes.size(), whole);
  if (bytes.size() < whole) return preface_outcome::incomplete;
  return read_addresses(bytes.substr(0, whole), out) ? preface_outcome::complete : preface_outcome::refused;
}

}  // namespace

preface_outcome read_proxy_preface(std::string_view bytes, std::size_t& size, proxy_preface& out) {
  size = 0;
  if (bytes.empty()) return preface_outcome::incomplete;
  if (bytes.front() == 'P') return read_version_1(bytes, size, out);
  return read_version_2(bytes, size, out);
}

}  // namespace corbel
