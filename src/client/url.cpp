#include "corbel/client/url.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <optional>

#include "corbel/http/field.hpp"
#include "corbel/http/url.hpp"

namespace corbel {
namespace {

constexpr std::size_t most_bytes = 8192;  // what servers take as a request line

error refuse(std::string message) {
  return {error_kind::internal, "invalid_url", "The URL to call " + std::move(message)};
}

constexpr std::array<bool, 256> table_of(std::string_view more) {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    table[static_cast<unsigned char>(c)] = true;
  for (const char c : more) table[static_cast<unsigned char>(c)] = true;
  return table;
}
/// RFC 3986, 3.3 and 3.4: pchar with the slash, and the question mark of a query.
constexpr auto target_characters = table_of("-._~!$&'()*+,;=:@/?");
/// Letters, digits, '-' (RFC 1123), and the '_' that service names in clusters carry.
constexpr auto host_characters = table_of("-._");

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_in(const std::array<bool, 256>& table, char c) {
  return table[static_cast<unsigned char>(c)];
}

std::optional<error> check_target(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
        return refuse("has a '%' that is not followed by two hexadecimal digits.");
      i += 2;
    } else if (!is_in(target_characters, text[i])) {
      return refuse("has a character in its path or query that must be percent-encoded.");
    }
  }
  return {};
}

/// Whether system resolvers would try to read the name as an IPv4 address: its last label is a number, in any
/// of the forms of inet_aton (decimal, octal, hexadecimal).
bool ends_in_number(std::string_view host) {
  const auto dot = host.rfind('.');
  const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (last.size() >= 2 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X'))
    return std::all_of(last.begin() + 2, last.end(), is_hex);
  return !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
}

/// Four decimal numbers without leading zeros, and nothing else.
bool is_plain_v4(std::string_view host) {
  int parts = 0;
  for (auto rest = host; parts < 4; ++parts) {
    const auto dot = rest.find('.');
    const auto part = rest.substr(0, dot);
    if (part.empty() || part.size() > 3 || !std::all_of(part.begin(), part.end(), is_digit)) return false;
    if (part.size() > 1 && part[0] == '0') return false;
    int value = 0;
    std::from_chars(part.data(), part.data() + part.size(), value);
    if (value > 255) return false;
    if (dot == std::string_view::npos) return parts == 3;
    rest = rest.substr(dot + 1);
  }
  return false;
}

std::optional<error> check_name(std::string_view host) {
  if (host.size() > 253) return refuse("has a host name of more than 253 characters.");
  for (const char c : host) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return refuse(
          "has a host name that is not ASCII; write international names in their xn-- form (Punycode).");
    if (c == '%') return refuse("has a percent-encoded host; write the name itself.");
    if (!is_in(host_characters, c)) return refuse("has a host with a character that no host name has.");
  }
  for (auto rest = host;;) {
    const auto dot = rest.find('.');
    const auto label = rest.substr(0, dot);
    if (label.empty()) return refuse("has a host name with an empty label, or with a dot at its end.");
    if (label.size() > 63 || label.front() == '-' || label.back() == '-')
      return refuse("has a host name with a label that is too long, or begins or ends with '-'.");
    if (dot == std::string_view::npos) return {};
    rest = rest.substr(dot + 1);
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

std::optional<error> read_host(std::string_view text, std::string& host, bool& address) {
  address = true;
  if (!text.empty() && text.front() == '[') {
    boost::system::error_code bad;
    const std::string inside(text.substr(1, text.size() - 2));
    // No zone: it means something on this machine only. RFC 3986 has no other address in brackets in use.
    const bool plain = inside.find('%') == std::string::npos;
    const auto v6 = boost::asio::ip::make_address_v6(inside, bad);
    if (bad || !plain) return refuse("has no IPv6 address between its brackets.");
    host = v6.to_string();
    return {};
  }
  if (text.empty()) return refuse("names no host.");
  if (auto wrong = check_name(text)) return wrong;
  if (ends_in_number(text)) {
    if (!is_plain_v4(text)) return refuse("has an IPv4 address in a form other than four decimal numbers.");
    host = text;
    return {};
  }
  address = false;
  host = lower(text);
  return {};
}

std::optional<error> read_port(std::string_view text, std::uint16_t& port) {
  if (text.empty()) return {};  // RFC 3986, 3.2.3: as if it were not there
  std::uint32_t value = 0;
  const bool digits = text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
  if (digits) std::from_chars(text.data(), text.data() + text.size(), value);
  if (!digits || value == 0 || value > 65535) return refuse("has a port that is no number from 1 to 65535.");
  port = static_cast<std::uint16_t>(value);
  return {};
}

/// RFC 3986, 5.2.4, for a path that begins with '/'.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const auto segment = path.substr(0, end);  // with its slash in front
    path.remove_prefix(end);
    if (segment == "/.") {
      if (path.empty()) out += '/';
    } else if (segment == "/..") {
      out.erase(out.empty() ? 0 : out.rfind('/'));
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

std::string encode_stray(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    // Control characters stay, to be refused.
    if (c == '%' || is_in(target_characters, c) || u < 0x20 || u == 0x7f)
      out += c;
    else
      out += percent_encode({&c, 1});
  }
  return out;
}

}  // namespace

result<url> url::parse(std::string_view text) {
  if (text.size() > most_bytes) return refuse("is longer than 8192 bytes.");
  url made;
  const auto colon = text.find(':');
  const auto scheme = text.substr(0, std::min(colon, text.size()));
  if (colon == std::string_view::npos || !(iequals(scheme, "http") || iequals(scheme, "https")))
    return refuse("begins with neither http:// nor https://.");
  made.https_ = scheme.size() == 5;
  made.port_ = made.https_ ? 443 : 80;
  auto rest = text.substr(colon + 1);
  if (rest.substr(0, 2) != "//") return refuse("has no // behind its scheme.");
  rest.remove_prefix(2);
  if (const auto hash = rest.find('#'); hash != std::string_view::npos) {
    if (auto wrong = check_target(rest.substr(hash + 1))) return *wrong;
    rest = rest.substr(0, hash);
  }
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return refuse("carries a user name; send credentials in a header instead.");
  auto host = authority;
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return refuse("has no ] behind its IPv6 address.");
    host = authority.substr(0, close + 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':')
      return refuse("has text between its IPv6 address and its port.");
  } else if (const auto at = authority.find(':'); at != std::string_view::npos) {
    host = authority.substr(0, at);
    port = authority.substr(at);
  }
  if (auto wrong = read_host(host, made.host_, made.address_)) return *wrong;
  if (auto wrong = read_port(port.substr(port.empty() ? 0 : 1), made.port_)) return *wrong;
  const auto target = rest.substr(end);
  if (auto wrong = check_target(target)) return *wrong;
  made.target_ = target.empty() || target.front() == '?' ? '/' + std::string(target) : std::string(target);
  return made;
}

result<url> url::resolve(std::string_view reference) const {
  if (const auto hash = reference.find('#'); hash != std::string_view::npos)
    reference = reference.substr(0, hash);
  const auto first = reference.find_first_of(":/?");
  if (first != std::string_view::npos && reference[first] == ':') {  // it has a scheme of its own
    const auto slashes = reference.find("//");
    const auto end = slashes == std::string_view::npos ? std::string_view::npos
                                                       : reference.find_first_of("/?", slashes + 2);
    if (end == std::string_view::npos) return parse(reference);
    return parse(std::string(reference.substr(0, end)) + encode_stray(reference.substr(end)));
  }
  if (reference.substr(0, 2) == "//")
    return resolve(std::string(https_ ? "https:" : "http:") + std::string(reference));
  const auto question = std::min(reference.find('?'), reference.size());
  const auto path = reference.substr(0, question);
  const auto query = reference.substr(question);
  std::string target;
  if (path.empty()) {
    target = query.empty() ? target_ : target_.substr(0, target_.find('?')) + encode_stray(query);
  } else {
    std::string whole(path);
    if (path.front() != '/') {
      const auto base = std::string_view(target_).substr(0, target_.find('?'));
      whole = std::string(base.substr(0, base.rfind('/') + 1)) + whole;
    }
    target = without_dot_segments(encode_stray(whole)) + encode_stray(query);
  }
  return parse(origin() + target);
}

std::string url::authority() const {
  std::string out = host_.find(':') == std::string::npos ? host_ : '[' + host_ + ']';
  if (port_ != (https_ ? 443 : 80)) out += ':' + std::to_string(port_);
  return out;
}

std::string url::origin() const {
  return (https_ ? "https://" : "http://") + authority();
}

void url::add_query(std::string_view name, std::string_view value) {
  target_ += target_.find('?') == std::string::npos ? '?' : '&';
  target_ += percent_encode(name) + '=' + percent_encode(value);
}

}  // namespace corbel
