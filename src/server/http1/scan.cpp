#include <cstring>

#include "corbel/http/field.hpp"
#include "server/http1/head.hpp"

namespace corbel::http1 {
namespace {

error bad_line(std::string message) {
  return malformed(std::move(message), "malformed_request");
}

error line_too_long(const server_limits& limits) {
  return {error_kind::uri_too_long, "uri_too_long",
          "The request line is longer than " + std::to_string(limits.request_line) + " bytes."};
}

error headers_too_large(const server_limits& limits) {
  return {error_kind::headers_too_large, "headers_too_large",
          "The request has more than " + std::to_string(limits.header_count) + " header fields or " +
              std::to_string(limits.header_bytes) + " bytes of them."};
}

}  // namespace

head_outcome scan_head(std::string_view bytes, head_scan& at, const server_limits& limits, std::size_t& size,
                       std::optional<error>& why) {
  const auto refuse = [&](error e) {
    why = std::move(e);
    return head_outcome::refused;
  };
  const char* const base = bytes.data();
  // What a byte-by-byte arrival would have been refused for before its line feed came goes first, so that the
  // answer does not depend on how the network cut the bytes.
  const auto too_long = [&](std::size_t end) {
    return at.lines == 0 ? end - at.line_begin > limits.request_line + 2
                         : end - at.headers_begin > limits.header_bytes + 2;
  };
  const auto refuse_length = [&] {
    return refuse(at.lines == 0 ? line_too_long(limits) : headers_too_large(limits));
  };
  while (const void* found = std::memchr(base + at.searched, '\n', bytes.size() - at.searched)) {
    const auto feed = static_cast<std::size_t>(static_cast<const char*>(found) - base);
    if (too_long(feed)) return refuse_length();
    if (feed == at.line_begin || base[feed - 1] != '\r')
      return refuse(bad_line("A line ends in a line feed alone; every line must end in CR LF."));
    const std::size_t length = feed - 1 - at.line_begin;
    if (length == 0) {
      if (at.lines != 0) {
        size = feed + 1;
        return head_outcome::complete;
      }
      // RFC 9112, 2.2: an empty line before the request line is ignored; a stream of them is not a request.
      if (feed > 8) return refuse(bad_line("Empty lines stand where a request line should be."));
    } else {
      const char* const line = base + at.line_begin;
      if (at.lines == 0) {
        if (length > limits.request_line) return refuse_length();
      } else {
        if (*line == ' ' || *line == '\t')
          return refuse(bad_line("A header line begins with white space; folded header lines are refused."));
        if (at.lines > limits.header_count || feed + 1 - at.headers_begin > limits.header_bytes)
          return refuse_length();
      }
      if (has_control({line, length}))
        return refuse(bad_line("The request line or a header holds a control character."));
      if (at.lines++ == 0) at.headers_begin = feed + 1;
    }
    at.line_begin = at.searched = feed + 1;
  }
  at.searched = bytes.size();
  if (too_long(bytes.size())) return refuse_length();
  return head_outcome::incomplete;
}

}  // namespace corbel::http1
