#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "corbel/base/error.hpp"
#include "corbel/http/request.hpp"
#include "corbel/server/settings.hpp"

namespace corbel::http1 {

/// What a request's head says about the bytes that follow and the connection they come on.
struct message_framing {
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const noexcept { return chunked || content_length != 0; }
};

/// Where the search for the end of a head stands, so that a head which arrives byte by byte is scanned once.
struct head_scan {
  std::size_t line_begin = 0;     ///< the first byte of the line that is not complete yet
  std::size_t searched = 0;       ///< no line feed stands before this
  std::size_t lines = 0;          ///< complete lines, the request line included
  std::size_t headers_begin = 0;  ///< the first byte behind the request line, once that is complete
};

enum class head_outcome : std::uint8_t { incomplete, complete, refused };

/// Finds the blank line and checks every line as raw bytes on the way: CRLF only, no control character, no
/// obs-fold, the limits (RFC 9112, 2.2 and 5). `size` becomes the head's length with its blank line. On
/// `refused`, `why` says why.
head_outcome scan_head(std::string_view bytes, head_scan& at, const server_limits& limits, std::size_t& size,
                       std::optional<error>& why);

/// Reads a complete head into `out`, whose texts become views into `head`, and decides its framing. Returns
/// why the request must be refused; what was understood of it until then is in `out`.
std::optional<error> parse_head(std::string_view head, request& out, message_framing& framing);

/// Both in one: what a connection calls with all bytes that it has, and again, with the same `at` and more of
/// them, while it answers `incomplete`. A head that is all there at first sight is gone over once; one that
/// comes in pieces is scanned as it comes, and read when it is complete. `out` must be clear; `size` and
/// `framing` are set on `complete`. On `refused`, `why` says why, and `out` holds what was understood. The
/// answer does not depend on how the bytes were cut.
head_outcome read_head(std::string_view bytes, head_scan& at, const server_limits& limits, request& out,
                       message_framing& framing, std::size_t& size, std::optional<error>& why);

}  // namespace corbel::http1
