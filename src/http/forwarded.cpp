// What proxies tell of a request they pass on: Forwarded (RFC 7239), and the X-Forwarded fields of before.

#include <algorithm>
#include <charconv>
#include <iterator>

#include "http/connection_facts.hpp"

namespace corbel {
namespace {

constexpr std::size_t most_hops = 32;
constexpr std::string_view unknown = "unknown";

/// What one proxy tells of whoever sent it the request. Empty where it tells nothing.
struct hop {
  std::string node;
  std::string proto;
  std::string host;
};

bool is_alpha_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A host that may stand in a URL: a name, an IPv4 address or "[IPv6]", and perhaps a port.
bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  std::string_view rest;
  if (text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos || text.substr(0, close).find(':') == std::string_view::npos)
      return false;
    if (!ip_address::parse(text.substr(1, close - 1))) return false;
    rest = text.substr(close + 1);
  } else {
    const auto colon = std::min(text.find(':'), text.size());
    const auto name = text.substr(0, colon);
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) {
          return is_alpha_or_digit(c) || c == '-' || c == '.' || c == '_';
        }))
      return false;
    rest = text.substr(colon);
  }
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

/// RFC 7239, 6.3
bool is_obfuscated(std::string_view text) {
  return text.size() > 1 && text.size() <= 64 && text.front() == '_' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alpha_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

/// A node without its port: "192.0.2.1:80", "[2001:db8::1]:80", and, as X-Forwarded-For has it,
/// "2001:db8::1".
std::string_view without_port(std::string_view node) {
  if (!node.empty() && node.front() == '[') {
    const auto close = node.find(']');
    if (close == std::string_view::npos) return {};
    const auto rest = node.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return {};
    const auto inner = node.substr(1, close - 1);
    return inner.find(':') == std::string_view::npos ? std::string_view{} : inner;
  }
  const auto colon = node.find(':');
  if (colon == std::string_view::npos || node.find(':', colon + 1) != std::string_view::npos) return node;
  return node.substr(0, colon);
}

bool is_token_character(char c) {
  return is_alpha_or_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads the elements of one Forwarded field from left to right, since commas may stand in quotes.
class forwarded_reader {
 public:
  explicit forwarded_reader(std::string_view text) : rest_(text) {}

  /// False when the field is malformed: then nobody can say where its elements begin.
  bool read(std::vector<hop>& out) {
    for (;;) {
      hop element;
      bool told = false;
      do {
        skip_space();
        if (!rest_.empty() && rest_.front() != ';' && rest_.front() != ',') {
          if (!read_pair(element)) return false;
          told = true;
        }
        skip_space();
      } while (take(';'));
      if (told) out.push_back(std::move(element));
      if (rest_.empty()) return true;
      if (!take(',')) return false;
      if (out.size() > 4 * most_hops) return false;
    }
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  std::string_view token() {
    std::size_t n = 0;
    while (n < rest_.size() && is_token_character(rest_[n])) ++n;
    const auto taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  bool read_pair(hop& into) {
    const auto name = token();
    if (name.empty() || !take('=')) return false;
    std::string value;
    if (take('"')) {
      while (!rest_.empty() && rest_.front() != '"') {
        if (rest_.front() == '\\') rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        value += rest_.front();
        rest_.remove_prefix(1);
      }
      if (!take('"')) return false;
    } else {
      value = token();
      if (value.empty()) return false;
      // Not by the letter of the RFC, but common: an address with a port, unquoted.
      while (!rest_.empty() && (rest_.front() == ':' || rest_.front() == '[' || rest_.front() == ']')) {
        value += rest_.front();
        rest_.remove_prefix(1);
        value += token();
      }
    }
    std::string* const there = iequals(name, "for")     ? &into.node
                               : iequals(name, "proto") ? &into.proto
                               : iequals(name, "host")  ? &into.host
                                                        : nullptr;
    if (!there) return true;
    if (!there->empty()) return false;  // RFC 7239, 4: each parameter once
    *there = std::move(value);
    return true;
  }

  std::string_view rest_;
};

/// From right to left: the nearest proxy's word first.
std::vector<hop> hops_of_forwarded(const request& in) {
  std::vector<hop> all;
  const auto fields = in.headers();
  for (auto field = fields.rbegin(); field != fields.rend() && all.size() <= most_hops; ++field) {
    if (!iequals(field->name, "forwarded")) continue;
    std::vector<hop> line;
    if (!forwarded_reader(field->value).read(line)) {
      all.push_back({std::string(unknown), {}, {}});
      break;
    }
    std::move(line.rbegin(), line.rend(), std::back_inserter(all));
  }
  return all;
}

/// The items of a field that is a comma list, over all its lines, from right to left.
std::vector<std::string_view> items_from_right(const request& in, std::string_view name) {
  std::vector<std::string_view> all;
  const auto fields = in.headers();
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (!iequals(field->name, name)) continue;
    auto rest = field->value;
    while (all.size() <= most_hops) {
      const auto comma = rest.rfind(',');
      const auto item = trim_space(comma == std::string_view::npos ? rest : rest.substr(comma + 1));
      if (!item.empty()) all.push_back(item);
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return all;
}

/// A port told apart from its host joins it, unless it is the scheme's own.
std::string with_port(std::string_view host, std::string_view port, std::string_view proto) {
  std::string made(host);
  const bool has_one = !host.empty() && (host.front() == '[' ? host.find("]:") : host.find(':')) != host.npos;
  if (made.empty() || has_one || !is_port(port)) return made;
  if (port == (iequals(proto, "https") ? "443" : "80")) return made;
  return made.append(1, ':').append(port);
}

std::vector<hop> hops_of_x_forwarded(const request& in) {
  const auto nodes = items_from_right(in, "x-forwarded-for");
  const auto protos = items_from_right(in, "x-forwarded-proto");
  const auto hosts = items_from_right(in, "x-forwarded-host");
  const auto ports = items_from_right(in, "x-forwarded-port");
  // Most proxies append to the first alone and overwrite the others: a list that is shorter ends with what
  // its leftmost item says.
  const auto at = [](const std::vector<std::string_view>& list, std::size_t i) {
    return list.empty() ? std::string_view{} : list[std::min(i, list.size() - 1)];
  };
  std::vector<hop> all;
  for (std::size_t i = 0; i < std::max({nodes.size(), std::min<std::size_t>(protos.size(), 1),
                                        std::min<std::size_t>(hosts.size(), 1)});
       ++i) {
    const auto proto = at(protos, i);
    all.push_back({std::string(i < nodes.size() ? nodes[i] : std::string_view{}), std::string(proto),
                   with_port(at(hosts, i), at(ports, i), proto)});
  }
  return all;
}

}  // namespace

request_origin origin_of(const request& in, const ip_address& peer, const proxy_trust& trust) {
  std::vector<hop> hops;
  if (trust.x_forwarded) hops = hops_of_x_forwarded(in);
  if (hops.empty() && trust.forwarded) hops = hops_of_forwarded(in);

  request_origin found;
  found.client = peer.to_string();
  for (std::size_t i = 0; i < hops.size(); ++i) {
    if (i == most_hops) {
      found.client = unknown;
      break;
    }
    const auto& each = hops[i];
    // The proxy further out is nearer to the client, so its word replaces the earlier one.
    if (iequals(each.proto, "https") || iequals(each.proto, "http"))
      found.scheme = iequals(each.proto, "https") ? "https" : "http";
    if (is_host(each.host)) found.host = each.host;
    if (each.node.empty()) break;
    const auto node = without_port(each.node);
    const auto address = ip_address::parse(node);
    if (!address) {
      found.client = is_obfuscated(node) ? node : unknown;
      break;
    }
    found.client = address->to_string();
    if (!trust.trusts(*address)) break;
  }
  return found;
}

}  // namespace corbel
