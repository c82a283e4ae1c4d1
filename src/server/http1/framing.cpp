#include <array>
#include <charconv>

#include "http/request_access.hpp"
#include "server/http1/head.hpp"

namespace corbel::http1 {
namespace {

error refuse_framing(std::string message) {
  return malformed(std::move(message), "malformed_framing");
}
error refuse_request(std::string message) {
  return malformed(std::move(message), "malformed_request");
}

/// The fields that decide where a message ends and for whom it is, each with how often it stands there.
struct deciding_fields {
  std::string_view content_length, transfer_encoding, host, expect;
  int content_lengths = 0, transfer_encodings = 0, hosts = 0, expects = 0;
  bool says_close = false, says_keep_alive = false;

  explicit deciding_fields(const request& in) {
    for (const auto& field : in.headers()) {
      switch (field.name.size()) {  // sparing most fields the comparisons
        case 4: note(field, "host", host, hosts); break;
        case 6: note(field, "expect", expect, expects); break;
        case 10:
          if (iequals(field.name, "connection")) {
            says_close |= list_contains(field.value, "close");
            says_keep_alive |= list_contains(field.value, "keep-alive");
          }
          break;
        case 14: note(field, "content-length", content_length, content_lengths); break;
        case 17: note(field, "transfer-encoding", transfer_encoding, transfer_encodings); break;
        default: break;
      }
    }
  }

 private:
  static void note(const field_view& field, std::string_view name, std::string_view& value, int& count) {
    if (!iequals(field.name, name)) return;
    value = field.value;
    ++count;
  }
};

constexpr std::array<bool, 256> host_characters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "-._~%!$&'()*+;="))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

/// RFC 3986, 3.2: a host of registered-name or address characters, and perhaps a port. User information has
/// no place in a Host field.
bool is_authority(std::string_view text) {
  const auto in_brackets = !text.empty() && text.front() == '[';
  std::string_view host = text;
  std::string_view port;
  if (in_brackets) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    port = rest.empty() ? rest : rest.substr(1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  for (const char c : port)
    if (c < '0' || c > '9') return false;
  if (port.size() > 5) return false;
  for (const char c : host)
    if (!host_characters[static_cast<unsigned char>(c)] && !(in_brackets && c == ':')) return false;
  return true;
}

std::optional<error> check_target(request& in, std::string_view host) {
  auto target = in.target();
  for (const char c : target)
    if (static_cast<unsigned char>(c) >= 0x80 || c == '#')
      return refuse_request("The request target holds a byte that must be percent-encoded.");
  if (target.front() == '/') return {};
  if (in.method() == method::connect)
    return error{error_kind::not_implemented, "not_implemented", "CONNECT is not served here."};
  if (target == "*") {
    if (in.method() == method::options) return {};
    return refuse_request("The request target * goes with OPTIONS only.");
  }
  // absolute-form (RFC 9112, 3.2.2): its authority and the Host field must be the same.
  constexpr std::string_view schemes[] = {"http://", "https://"};
  for (const auto scheme : schemes) {
    if (!iequals(target.substr(0, scheme.size()), scheme)) continue;
    const auto rest = target.substr(scheme.size());
    const auto slash = rest.find_first_of("/?");
    const auto authority = rest.substr(0, slash);
    if (authority.empty() || !iequals(authority, host))
      return refuse_request("The request target names another host than the Host header does.");
    if (slash == std::string_view::npos || rest[slash] == '?')
      return refuse_request("The request target has no path; write at least / behind the host.");
    request_access(in).target(rest.substr(slash));
    return {};
  }
  return refuse_request("The request target must begin with /.");
}

std::optional<error> check_host(const request& in, const deciding_fields& f) {
  if (f.hosts > 1) return refuse_request("The Host header stands there more than once.");
  if (f.hosts == 0 && in.version() >= 11) return refuse_request("The Host header is missing.");
  if (!is_authority(f.host)) return refuse_request("The Host header names no host.");
  return {};
}

std::optional<error> check_length(const request& in, const deciding_fields& f, message_framing& framing) {
  if (f.transfer_encodings > 0) {
    if (in.version() < 11) return refuse_framing("HTTP/1.0 has no Transfer-Encoding.");
    if (f.content_lengths > 0)
      return refuse_framing("Content-Length and Transfer-Encoding exclude each other.");
    if (f.transfer_encodings > 1 || f.transfer_encoding.find(',') != std::string_view::npos)
      return refuse_framing("Transfer-Encoding must be a single chunked.");
    if (!iequals(f.transfer_encoding, "chunked"))
      return error{error_kind::not_implemented, "not_implemented",
                   "Transfer-Encoding must be chunked; no other coding is served here."};
    framing.chunked = true;
    return {};
  }
  if (f.content_lengths > 1) return refuse_framing("Content-Length stands there more than once.");
  if (f.content_lengths == 0) return {};
  const auto text = f.content_length;
  // 18 digits are an exabyte, and cannot run over.
  if (text.empty() || text.size() > 18) return refuse_framing("Content-Length must be one decimal number.");
  for (const char c : text)
    if (c < '0' || c > '9') return refuse_framing("Content-Length must be one decimal number.");
  std::from_chars(text.data(), text.data() + text.size(), framing.content_length);
  return {};
}

}  // namespace

std::optional<error> decide_framing(request& in, message_framing& framing) {
  const deciding_fields f(in);
  framing = {};
  framing.keep_alive = in.version() >= 11 ? !f.says_close : f.says_keep_alive && !f.says_close;
  if (auto e = check_host(in, f)) return e;
  if (auto e = check_target(in, f.host)) return e;
  if (auto e = check_length(in, f, framing)) return e;
  if (f.expects > 0) {
    if (f.expects > 1 || !iequals(f.expect, "100-continue"))
      return error{error_kind::expectation_failed, "expectation_failed",
                   "The only expectation met here is 100-continue."};
    // RFC 9110, 10.1.1: an HTTP/1.0 client cannot understand the interim response.
    framing.expects_continue = in.version() >= 11 && framing.has_body();
  }
  return {};
}

}  // namespace corbel::http1
