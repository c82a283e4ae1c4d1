#include "server/http1/framing.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <system_error>

#include "http/request_access.hpp"

namespace corbel::http1 {
namespace {

error refuse_framing(std::string message) {
  return malformed(std::move(message), "malformed_framing");
}
error refuse_request(std::string message) {
  return malformed(std::move(message), "malformed_request");
}

constexpr std::array<bool, 256> host_characters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "-._~%!$&'()*+;="))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

bool is_port(const char* at, const char* end) {
  if (end - at > 5) return false;
  while (at != end && *at >= '0' && *at <= '9') ++at;
  return at == end;
}

/// RFC 3986, 3.2: a host of registered-name or address characters, and perhaps a port. User information has
/// no place in a Host field. The first `known` bytes are known to be of a name.
bool is_authority(std::string_view text, std::size_t known) {
  const char* at = text.data() + known;
  const char* const end = text.data() + text.size();
  const auto plain = [](char c) { return host_characters[static_cast<unsigned char>(c)]; };
  if (at != end && known == 0 && *at == '[') {
    ++at;
    while (at != end && (plain(*at) || *at == ':')) ++at;
    if (at == end || *at != ']') return false;
    ++at;
  } else {
    while (at != end && plain(*at)) ++at;
  }
  return at == end || (*at == ':' && is_port(at + 1, end));
}

/// The text of a target that stands nowhere in the head.
struct written_target {
  std::string text;
};

/// RFC 9112, 3.2.2: an absolute-form says for which host it is, whatever the Host field says. `rest` stands
/// behind the scheme.
std::optional<error> take_absolute(request& in, std::string_view rest) {
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = rest.substr(0, end);
  const auto from = rest.substr(end);
  if (authority.empty() || authority.front() == ':' || !is_authority(authority, 0))
    return refuse_request("The request target names no host behind http://.");
  request_access access(in);
  access.set_header("Host", authority);
  if (!from.empty() && from.front() == '/')
    access.target(from);
  else if (from.empty())  // RFC 9112, 3.2.4: OPTIONS without a path is for the whole server
    access.target(in.method() == method::options ? "*" : "/");
  else
    access.target(in.emplace(written_target{'/' + std::string(from)}).text);
  return {};
}

std::optional<error> check_target(request& in) {
  const auto target = in.target();
  if (target.front() == '/') return {};
  if (in.method() == method::connect)
    return error{error_kind::not_implemented, "not_implemented", "CONNECT is not served here."};
  if (target == "*") {
    if (in.method() == method::options) return {};
    return refuse_request("The request target * goes with OPTIONS only.");
  }
  constexpr std::string_view schemes[] = {"http://", "https://"};
  for (const auto scheme : schemes)
    if (iequals(target.substr(0, scheme.size()), scheme))
      return take_absolute(in, target.substr(scheme.size()));
  return refuse_request("The request target must begin with /.");
}

std::optional<error> check_host(const request& in, const deciding_fields& f) {
  if (f.hosts > 1) return refuse_request("The Host header stands there more than once.");
  if (f.hosts == 0 && in.version() >= 11) return refuse_request("The Host header is missing.");
  if (!is_authority(f.host, f.host_run)) return refuse_request("The Host header names no host.");
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
  const char* const end = text.data() + text.size();
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return refuse_framing("Content-Length must be one decimal number.");
  // A number beyond 64 bits is a number all the same, and above any limit.
  if (std::from_chars(text.data(), end, framing.content_length).ec == std::errc::result_out_of_range)
    framing.content_length = std::numeric_limits<std::uint64_t>::max();
  return {};
}

}  // namespace

void deciding_fields::note_connection(std::string_view value) noexcept {
  if (iequals(value, "keep-alive")) {  // what most clients send
    says_keep_alive = true;
    return;
  }
  while (!value.empty()) {
    const auto option = next_item(value);
    says_close |= iequals(option, "close");
    says_keep_alive |= iequals(option, "keep-alive");
    connection_is_no_list |= !option.empty() && !is_token(option);
  }
}

namespace {

std::optional<error> check_all(request& in, const deciding_fields& f, message_framing& framing) {
  if (f.connection_is_no_list) return refuse_request("The Connection header is no list of tokens.");
  if (auto e = check_host(in, f)) return e;
  if (auto e = check_target(in)) return e;
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

}  // namespace

bool decide_framing(request& in, const deciding_fields& f, message_framing& framing,
                    std::optional<error>& why) {
  framing = {};
  framing.keep_alive = in.version() >= 11 ? !f.says_close : f.says_keep_alive && !f.says_close;
  // Most requests have nothing that the rest is about.
  if (f.hosts == 1 && f.content_lengths + f.transfer_encodings + f.expects == 0 && !f.connection_is_no_list &&
      in.target().front() == '/' && is_authority(f.host, f.host_run)) [[likely]]
    return true;
  why = check_all(in, f, framing);
  return !why;
}

}  // namespace corbel::http1
