#include "corbel/schema/format.hpp"

#include <string>

#include "corbel/base/time.hpp"
#include "corbel/base/uuid.hpp"

namespace corbel::schema {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_any_of(char c, std::string_view set) {
  return c != '\0' && set.find(c) != std::string_view::npos;
}

/// The text up to the next `separator`, which is taken off `rest` with it.
std::string_view take_until(std::string_view& rest, char separator, bool& more) {
  const std::size_t at = rest.find(separator);
  const auto head = rest.substr(0, at);
  more = at != std::string_view::npos;
  rest.remove_prefix(more ? at + 1 : rest.size());
  return head;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
  for (const char c : label)
    if (!is_digit(c) && !is_letter(c) && c != '-') return false;
  return true;
}

bool is_hostname(std::string_view text) {
  if (text.size() > 253) return false;
  for (bool more = true; more;)
    if (!is_label(take_until(text, '.', more))) return false;
  return true;
}

bool is_dot_atom(std::string_view text) {
  for (bool more = true; more;) {
    const auto atom = take_until(text, '.', more);
    if (atom.empty()) return false;
    for (const char c : atom)
      if (!is_digit(c) && !is_letter(c) && !is_any_of(c, "!#$%&'*+-/=?^_`{|}~")) return false;
  }
  return true;
}

bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at > 64 || text.size() > 254) return false;
  const auto domain = text.substr(at + 1);
  return is_dot_atom(text.substr(0, at)) && is_hostname(domain) && domain.find('.') != domain.npos;
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  for (bool more = true; more; ++parts) {
    const auto part = take_until(text, '.', more);
    if (part.empty() || part.size() > 3 || (part.size() > 1 && part.front() == '0')) return false;
    int value = 0;
    for (const char c : part) {
      if (!is_digit(c)) return false;
      value = value * 10 + (c - '0');
    }
    if (value > 255) return false;
  }
  return parts == 4;
}

/// Counts the 16-bit groups of one side of "::"; -1 when they are none. Only the last may be an IPv4 address.
int count_groups(std::string_view text, bool last_side) {
  if (text.empty()) return 0;
  int groups = 0;
  for (bool more = true; more;) {
    const auto group = take_until(text, ':', more);
    if (last_side && !more && group.find('.') != group.npos) return is_ipv4(group) ? groups + 2 : -1;
    if (group.empty() || group.size() > 4) return -1;
    for (const char c : group)
      if (!is_hex(c)) return -1;
    ++groups;
  }
  return groups;
}

bool is_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) return count_groups(text, true) == 8;
  const int before = count_groups(text.substr(0, gap), false);
  const int after = count_groups(text.substr(gap + 2), true);
  return before >= 0 && after >= 0 && before + after <= 7;
}

/// Unreserved, sub-delims and percent-encoded bytes, and what else the part allows (RFC 3986, 2).
bool is_uri_part(std::string_view text, std::string_view more) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_digit(text[i]) && !is_letter(text[i]) && !is_any_of(text[i], "-._~!$&'()*+,;=") &&
               !is_any_of(text[i], more)) {
      return false;
    }
  }
  return true;
}

bool is_authority(std::string_view text, bool host_required) {
  if (const std::size_t at = text.rfind('@'); at != text.npos) {
    if (!is_uri_part(text.substr(0, at), ":")) return false;
    text.remove_prefix(at + 1);
  }
  std::size_t host_end = 0;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos || !is_ipv6(text.substr(1, close - 1))) return false;
    host_end = close + 1;
  } else {
    host_end = std::min(text.find(':'), text.size());
    if ((host_required && host_end == 0) || !is_uri_part(text.substr(0, host_end), "")) return false;
  }
  auto port = text.substr(host_end);
  if (port.empty()) return true;
  if (port.front() != ':' || port.size() > 6) return false;
  int value = 0;
  for (const char c : port.substr(1)) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  return value <= 65535;
}

bool is_uri_with(std::string_view text, bool host_required) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon == 0 || !is_letter(text.front())) return false;
  for (const char c : text.substr(0, colon))
    if (!is_digit(c) && !is_letter(c) && !is_any_of(c, "+-.")) return false;
  auto rest = text.substr(colon + 1);
  bool more = false;
  auto before_fragment = take_until(rest, '#', more);
  if (!is_uri_part(rest, ":@/?")) return false;
  auto path = take_until(before_fragment, '?', more);
  if (!is_uri_part(before_fragment, ":@/?")) return false;
  if (path.starts_with("//")) {
    path.remove_prefix(2);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (!is_authority(path.substr(0, end), host_required)) return false;
    path.remove_prefix(end);
  } else if (host_required) {
    return false;
  }
  return is_uri_part(path, ":@/");
}

/// RFC 3339 full-time. A leap second ends a month in UTC, which by its offset may be a day before or behind.
bool is_time(std::string_view text) {
  for (const char* day : {"2000-01-01T", "1999-12-31T", "1999-12-30T"})
    if (parse_timestamp(std::string(day).append(text))) return true;
  return false;
}

}  // namespace

bool is_uri(std::string_view text) noexcept {
  return is_uri_with(text, false);
}

bool matches(text_format format, std::string_view text) {
  switch (format) {
    case text_format::none: return true;
    case text_format::email: return is_email(text);
    case text_format::url: return is_uri_with(text, true);
    case text_format::uuid: return parse_uuid(text).has_value();
    case text_format::date_time: return parse_timestamp(text).has_value();
    case text_format::date: return parse_date(text).has_value();
    case text_format::time: return is_time(text);
    case text_format::hostname: return is_hostname(text);
    case text_format::ipv4: return is_ipv4(text);
    case text_format::ipv6: return is_ipv6(text);
  }
  return true;
}

std::span<const std::string_view> schemes_of(const constraints& rules) noexcept {
  static constexpr std::string_view web[] = {"http", "https"};
  if (rules.scheme_count == 0) return web;
  return {rules.schemes.data(), rules.scheme_count};
}

std::string_view name_of(text_format format) noexcept {
  switch (format) {
    case text_format::none: break;
    case text_format::email: return "email";
    case text_format::url: return "uri";
    case text_format::uuid: return "uuid";
    case text_format::date_time: return "date-time";
    case text_format::date: return "date";
    case text_format::time: return "time";
    case text_format::hostname: return "hostname";
    case text_format::ipv4: return "ipv4";
    case text_format::ipv6: return "ipv6";
  }
  return {};
}

std::string_view phrase_of(text_format format) noexcept {
  switch (format) {
    case text_format::none: break;
    case text_format::email: return "an email address such as ada@example.org";
    case text_format::url: return "an absolute URL such as https://example.org/path";
    case text_format::uuid: return "a UUID such as 0190a5b0-6c1e-7cc0-8000-0123456789ab";
    case text_format::date_time: return "a date-time such as 2026-01-02T03:04:05Z";
    case text_format::date: return "a date such as 2026-12-31";
    case text_format::time: return "a time with its offset such as 03:04:05Z";
    case text_format::hostname: return "a host name such as www.example.org";
    case text_format::ipv4: return "an IPv4 address such as 192.0.2.1";
    case text_format::ipv6: return "an IPv6 address such as 2001:db8::1";
  }
  return "a text";
}

}  // namespace corbel::schema
