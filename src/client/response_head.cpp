#include "client/response_head.hpp"

#include <charconv>

#include "client/failures.hpp"
#include "corbel/http/field.hpp"

namespace corbel::outgoing {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "HTTP/1.1 200 OK". The blank behind the code is asked for by RFC 9112, 4, and left out by many.
bool read_status_line(std::string_view line, client_response& out, int& version) {
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || line[8] != ' ') return false;
  if (line[7] != '0' && line[7] != '1') return false;
  version = line[7] - '0';
  if (line[9] < '1' || line[9] > '9' || !is_digit(line[10]) || !is_digit(line[11])) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  out.code((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  return true;
}

struct deciding_fields {
  std::string length, coding;
  int lengths = 0, codings = 0;
  bool says_close = false, says_keep_alive = false;

  void note(std::string_view name, std::string_view value) {
    if (iequals(name, "content-length")) {
      ++lengths;
      length = value;
    } else if (iequals(name, "transfer-encoding")) {
      ++codings;
      coding = value;
    } else if (iequals(name, "connection")) {
      says_close |= list_contains(value, "close");
      says_keep_alive |= list_contains(value, "keep-alive");
    }
  }
};

std::optional<error> decide(const deciding_fields& f, int version, bool bodiless, response_framing& framing) {
  framing.keep_alive = version >= 1 ? !f.says_close : f.says_keep_alive && !f.says_close;
  if (f.codings > 0) {
    if (version < 1) return malformed_response("a Transfer-Encoding in HTTP/1.0");
    if (f.lengths > 0) return malformed_response("both Content-Length and Transfer-Encoding");
    if (f.codings > 1 || !iequals(f.coding, "chunked"))
      return malformed_response("a Transfer-Encoding other than one chunked");
  }
  if (f.lengths > 1) return malformed_response("more than one Content-Length");
  if (f.lengths == 1) {
    // 18 digits are an exabyte, and cannot run over.
    bool number = !f.length.empty() && f.length.size() <= 18;
    for (const char c : f.length) number = number && is_digit(c);
    if (!number) return malformed_response("a Content-Length that is no decimal number");
    std::from_chars(f.length.data(), f.length.data() + f.length.size(), framing.length);
  }
  if (bodiless) return {};
  if (f.codings > 0) {
    framing.end = body_end::chunked;
  } else if (f.lengths == 1) {
    framing.end = framing.length == 0 ? body_end::none : body_end::length;
  } else {
    framing.end = body_end::close;
    framing.keep_alive = false;
  }
  return {};
}

}  // namespace

std::optional<std::size_t> find_head(std::string_view bytes, std::size_t& searched) noexcept {
  for (auto at = bytes.find('\n', searched); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') return at + 1;
    if (at >= 3 && bytes.substr(at - 3, 4) == "\r\n\r\n") return at + 1;
  }
  searched = bytes.size();
  return {};
}

std::optional<error> read_head(std::string_view head, method asked, const client_limits& limits,
                               client_response& out, response_framing& framing) {
  framing = {};
  int version = 0;
  std::size_t count = 0;
  deciding_fields deciding;
  bool first = true;
  std::string name, value;  // of the last field, which may go on
  const auto end_field = [&] {
    if (name.empty()) return;
    deciding.note(name, value);
    out.add_header(std::move(name), std::move(value));
    name.clear();
  };
  for (;;) {
    const auto end = head.find("\r\n");
    if (end == std::string_view::npos) return malformed_response("a line that ends in a line feed alone");
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (line.empty() && !first) break;
    // Line feeds and returns that stand alone are among the control characters.
    if (has_control(line)) return malformed_response("a control character in the head");
    if (first) {
      if (!read_status_line(line, out, version)) return malformed_response("no status line of HTTP/1.x");
      first = false;
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (name.empty()) return malformed_response("white space in front of the first header field");
      if (const auto more = trim_space(line); !more.empty())
        value.append(value.empty() ? "" : " ").append(more);
      continue;
    }
    end_field();
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return malformed_response("a header line that does not begin with a name and a colon");
    if (++count > limits.header_count)
      return too_large("more than " + std::to_string(limits.header_count) + " header fields");
    name = line.substr(0, colon);
    value = trim_space(line.substr(colon + 1));
  }
  end_field();
  const int code = out.code();
  const bool bodiless = asked == method::head || code < 200 || code == 204 || code == 304;
  return decide(deciding, version, bodiless, framing);
}

}  // namespace corbel::outgoing
