#include "server/http1/head.hpp"

#include <array>
#include <cstring>
#include <limits>

#include "http/controls.hpp"
#include "http/request_access.hpp"
#include "http/word_run.hpp"
#include "server/http1/framing.hpp"

namespace corbel::http1 {
namespace {

/// What a byte may be part of.
constexpr std::uint8_t in_token = 1;
constexpr std::uint8_t in_path = 2;
constexpr std::uint8_t in_query = 4;

/// RFC 3986 leaves fewer bytes to a target. What browsers and common clients send unescaped all the same, and
/// no two parties read in two ways, may pass: []^{}| anywhere, a backslash and a grave accent in a query.
constexpr std::array<std::uint8_t, 256> byte_classes = [] {
  std::array<std::uint8_t, 256> table{};
  const auto put = [&](std::string_view bytes, std::uint8_t classes) {
    for (const char c : bytes) table[static_cast<unsigned char>(c)] |= classes;
  };
  put("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", in_token | in_path | in_query);
  put("!#$%&'*+-.^_`|~", in_token);
  put("/-._~%!$&'()*+,;=:@[]^{}|", in_path | in_query);
  put("?\\`", in_query);
  return table;
}();

bool is(std::uint8_t what, char c) {
  return (byte_classes[static_cast<unsigned char>(c)] & what) != 0;
}

/// Why reading ended before the blank line.
enum class fault : std::uint8_t { none, unfinished, line, method, no_target, target, version, field, limit };

struct bounds {
  std::size_t line = std::numeric_limits<std::size_t>::max();
  std::size_t fields = std::numeric_limits<std::size_t>::max();
  std::size_t field_bytes = std::numeric_limits<std::size_t>::max();
};

std::size_t distance(const char* from, const char* to) {
  return static_cast<std::size_t>(to - from);
}

/// One pass over a head. Every loop over the bytes of a line stops at its carriage return at the latest,
/// which is looked for first and is in none of the classes.
class line_reader {
 public:
  line_reader(std::string_view bytes, request& out, deciding_fields& f)
      : begin_(bytes.data()), end_(bytes.data() + bytes.size()), at_(begin_), out_(out), deciding_(f) {}

  fault read(const bounds& most) {
    while (at_line_end()) at_ += 2;
    if (at_ - begin_ > 8) return fault::limit;
    if (!find_line_end()) return why_no_line_end();
    if (distance(at_, cr_) > most.line) return fault::limit;
    if (const auto bad = read_request_line(); bad != fault::none) return bad;
    const char* const fields = at_ = cr_ + 2;
    for (std::size_t count = 1; !at_line_end(); ++count) {
      if (!find_line_end()) return why_no_line_end();
      if (count > most.fields || distance(fields, cr_ + 2) > most.field_bytes) return fault::limit;
      if (!read_field()) return fault::field;
      at_ = cr_ + 2;
    }
    at_ += 2;
    return fault::none;
  }

  /// Behind the blank line, when there is no fault.
  std::size_t size() const { return distance(begin_, at_); }

 private:
  bool at_line_end() const { return end_ - at_ >= 2 && at_[0] == '\r' && at_[1] == '\n'; }
  bool find_line_end() {
    cr_ = detail::find_control(begin_, at_, end_);
    return end_ - cr_ >= 2 && cr_[0] == '\r' && cr_[1] == '\n';
  }
  fault why_no_line_end() const {
    return cr_ == end_ || (*cr_ == '\r' && cr_ + 1 == end_) ? fault::unfinished : fault::line;
  }

  fault read_request_line() {
    const char* p = at_;
    while (is(in_token, *p)) ++p;
    if (p == at_ || *p != ' ') return fault::method;
    const std::string_view method(at_, distance(at_, p));
    const char* const target = ++p;
    p += detail::word_run<detail::word::with_slash>(p, end_);
    while (is(in_path, *p)) ++p;
    const char* const path_end = p;
    if (*p == '?')
      while (is(in_query, *p)) ++p;
    if (p == target) return fault::no_target;
    if (p == cr_) return fault::version;
    if (*p != ' ') return fault::target;
    const std::size_t size = distance(target, p++);
    int version = 11;
    if (cr_ - p != 8 || std::memcmp(p, "HTTP/1.", 7) != 0) return fault::version;
    if (p[7] == '0')
      version = 10;
    else if (p[7] < '1' || p[7] > '9')  // a higher minor version is served as 1.1 (RFC 9110, 2.5)
      return fault::version;
    out_.start_line(method, {target, size}, distance(target, path_end), version);
    return fault::none;
  }

  bool read_field() {
    const auto space = [](char c) { return c == ' ' || c == '\t'; };
    const char* p = at_;
    while (is(in_token, *p)) ++p;
    if (p == at_ || *p != ':') return false;
    const std::string_view name(at_, distance(at_, p++));
    while (space(*p)) ++p;
    const char* end = cr_;
    while (end != p && space(end[-1])) --end;
    const std::string_view value(p, distance(p, end));
    out_.add_header(name, value);
    deciding_.note(name, value, end_);
    return true;
  }

  const char* const begin_;
  const char* const end_;
  const char* at_;            // the line being read
  const char* cr_ = nullptr;  // its end
  request_access out_;
  deciding_fields& deciding_;
};

/// "HTTP/2.0" is a version we do not speak; anything else in its place is no version at all, and one of
/// HTTP/1 was not what the line broke on.
bool names_another_version(std::string_view head) {
  while (head.substr(0, 2) == "\r\n") head.remove_prefix(2);
  const auto line = head.substr(0, head.find('\r'));
  if (line.size() < 8) return false;
  const auto version = line.substr(line.size() - 8);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (version.substr(0, 7) == "HTTP/1.") return false;
  return version.substr(0, 5) == "HTTP/" && digit(version[5]) && version[6] == '.' && digit(version[7]);
}

error unreadable(fault why, std::string_view head) {
  const auto because = [](std::string message) { return malformed(std::move(message), "malformed_request"); };
  switch (why) {
    case fault::method: return because("The method is no token.");
    case fault::no_target: return because("The request line has no target.");
    case fault::target: return because("The request target holds a byte that must be percent-encoded.");
    case fault::field: return because("A header name is no token followed by a colon.");
    case fault::version:
      if (names_another_version(head))
        return {error_kind::version_not_supported, "version_not_supported",
                "Only HTTP/1.0 and HTTP/1.1 are spoken here."};
      return because("The request line does not end in HTTP/1.1.");
    default: return because("The request's head is malformed.");
  }
}

}  // namespace

std::optional<error> parse_head(std::string_view head, request& out, message_framing& framing) {
  deciding_fields deciding;
  line_reader lines(head, out, deciding);
  if (const auto bad = lines.read({}); bad != fault::none) return unreadable(bad, head);
  std::optional<error> why;
  (void)decide_framing(out, deciding, framing, why);
  return why;
}

head_outcome read_head(std::string_view bytes, head_scan& at, const server_limits& limits, request& out,
                       message_framing& framing, std::size_t& size, std::optional<error>& why) {
  if (at.searched == 0) {
    deciding_fields deciding;
    line_reader lines(bytes, out, deciding);
    if (lines.read({limits.request_line, limits.header_count, limits.header_bytes}) == fault::none) {
      size = lines.size();
      return decide_framing(out, deciding, framing, why) ? head_outcome::complete : head_outcome::refused;
    }
    request_access(out).clear_head();
  }
  const auto outcome = scan_head(bytes, at, limits, size, why);
  if (outcome != head_outcome::complete) return outcome;
  why = parse_head(bytes.substr(0, size), out, framing);
  return why ? head_outcome::refused : head_outcome::complete;
}

}  // namespace corbel::http1
