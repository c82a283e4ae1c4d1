#include "corbel/http/cookie.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "corbel/http/date.hpp"
#include "corbel/http/url.hpp"

namespace corbel {
namespace {

/// RFC 6265, 4.1.1.
bool is_cookie_octet(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u > 0x20 && u < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

/// Percent-encodes what may not stand in a cookie. A NUL comes back as "%00": no decoder of ours lets it
/// through.
std::string encoded(std::string_view value) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    if (is_cookie_octet(c) && c != '%') {
      out += c;
      continue;
    }
    const auto u = static_cast<unsigned char>(c);
    out += '%';
    out += digits[u >> 4];
    out += digits[u & 0xf];
  }
  return out;
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return iequals(name.substr(0, prefix.size()), prefix);  // browsers compare it without case
}

[[noreturn]] void refuse(const std::string& name, const char* why) {
  throw std::invalid_argument("cookie " + name + ' ' + why);
}

/// The value of an attribute in a Set-Cookie field; empty when it is not there.
std::string_view attribute(std::string_view field, std::string_view name) {
  next_item(field, ';');
  while (!field.empty()) {
    auto value = next_item(field, ';');
    if (iequals(next_item(value, '='), name)) return value;
  }
  return {};
}

}  // namespace

new_cookie::new_cookie(std::string_view name, std::string_view value) : name_(name), value_(encoded(value)) {
  if (!is_token(name))
    throw std::invalid_argument(
        "a cookie's name must be a token such as theme or __Host-sid; letters, digits and -_.~!#$%&'*+^`| "
        "only");
}

new_cookie& new_cookie::max_age(std::chrono::seconds age) & {
  max_age_ = age;
  return *this;
}
new_cookie& new_cookie::expires(timestamp when) & {
  expires_ = when;
  return *this;
}
new_cookie& new_cookie::path(std::string_view path) & {
  if (path.empty() || path.front() != '/' || !is_field_value(path) ||
      path.find(';') != std::string_view::npos)
    refuse(name_, "needs a path that begins with / and holds neither ; nor control characters");
  path_ = path;
  return *this;
}
new_cookie& new_cookie::domain(std::string_view host) & {
  if (!host.empty() && host.front() == '.') host.remove_prefix(1);  // its meaning ended with RFC 6265
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (host.empty() || !plain)
    refuse(name_, "needs a domain such as example.org; write an international name in its xn-- form");
  domain_ = host;
  return *this;
}
new_cookie& new_cookie::same_site(corbel::same_site rule) & {
  same_site_ = rule;
  return *this;
}
new_cookie& new_cookie::partitioned() & {
  partitioned_ = true;
  return *this;
}
new_cookie& new_cookie::script_readable() & {
  http_only_ = false;
  return *this;
}
new_cookie& new_cookie::insecure() & {
  secure_ = false;
  return *this;
}

std::string new_cookie::text() const {
  const bool host = has_prefix(name_, "__Host-");
  if ((host || has_prefix(name_, "__Secure-")) && !secure_)
    refuse(name_, "promises by its name that it is Secure; leave insecure() out or give it another name");
  if (host && (path_ != "/" || !domain_.empty()))
    refuse(name_,
           "promises by its name that it has Path=/ and no Domain; leave these out or give it another name");
  if (same_site_ == corbel::same_site::none && !secure_)
    refuse(name_, "is SameSite=None, which browsers take from Secure cookies alone; leave insecure() out");
  if (partitioned_ && !secure_)
    refuse(name_, "is Partitioned, which browsers take from Secure cookies alone; leave insecure() out");

  std::string out = name_ + '=' + value_;
  if (max_age_) out.append("; Max-Age=").append(std::to_string(max_age_->count()));
  if (expires_) append_http_date(out.append("; Expires="), *expires_);
  if (!domain_.empty()) out.append("; Domain=").append(domain_);
  out.append("; Path=").append(path_);
  if (secure_) out += "; Secure";
  if (http_only_) out += "; HttpOnly";
  static constexpr std::string_view rules[] = {"Lax", "Strict", "None"};
  out.append("; SameSite=").append(rules[static_cast<std::size_t>(same_site_)]);
  if (partitioned_) out += "; Partitioned";
  if (out.size() > most_cookie_bytes)
    refuse(name_,
           "is larger than the 4096 bytes that browsers keep; store the data and put its id into the cookie");
  return out;
}

void set_cookie(response& out, const new_cookie& cookie) {
  constexpr std::string_view field = "Set-Cookie";
  const auto made = cookie.text();
  const auto start = cookie.name_ + '=';
  // RFC 6265, 4.1.1: no two of one name, domain and path in one response.
  std::vector<std::string> others;
  bool replaced = false;
  std::string_view lines = out.header_text();
  while (!lines.empty()) {
    auto line = lines.substr(0, lines.find('\r'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    if (!iequals(next_item(line, ':'), field)) continue;
    line = trim_space(line);
    if (line.substr(0, start.size()) == start && iequals(attribute(line, "Domain"), cookie.domain_) &&
        attribute(line, "Path") == cookie.path_)
      replaced = true;
    else
      others.emplace_back(line);
  }
  if (replaced) {
    out.remove(field);
    for (const auto& each : others) out.add(field, each);
  }
  out.add(field, made);
}

void delete_cookie(response& out, std::string_view name) {
  delete_cookie(out, new_cookie(name, ""));
}

void delete_cookie(response& out, new_cookie cookie) {
  set_cookie(out, cookie.max_age(std::chrono::seconds(0)).expires(timestamp{}));
}

std::optional<std::string> cookie_value(const request& in, std::string_view name) {
  const auto sent = in.cookie(name);
  if (!sent) return {};
  std::string decoded;
  if (sent->find('%') != std::string_view::npos && percent_decode(*sent, decoded)) return decoded;
  return std::string(*sent);
}

}  // namespace corbel
