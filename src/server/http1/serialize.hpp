#pragma once

#include <array>
#include <chrono>
#include <span>
#include <string_view>

#include "corbel/base/byte_buffer.hpp"
#include "corbel/http/request.hpp"
#include "corbel/http/response.hpp"

namespace corbel::http1 {

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110, 6.6.1), written anew once a second.
class date_line {
 public:
  static constexpr std::size_t size = 37;
  /// The line at `now`; it is good until the next call.
  const date_line& at(std::chrono::steady_clock::time_point now) {
    if (now >= good_until_) [[unlikely]]
      write(now);
    return *this;
  }
  std::string_view text() const noexcept { return {text_.data() + ok_line.size(), size}; }
  /// What most responses begin with: the status line of a 200, and the date.
  std::span<const char, 17 + size> behind_ok() const noexcept { return text_; }

 private:
  static constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";
  void write(std::chrono::steady_clock::time_point now);

  std::array<char, ok_line.size() + size> text_{};
  std::chrono::steady_clock::time_point good_until_{};
};

/// Whether a response of that status may have a body (RFC 9110, 6.4.1).
constexpr bool has_body(status s) noexcept {
  const auto code = static_cast<int>(s);
  return code >= 200 && code != 204 && code != 304;
}

/// Appends a whole response, or the head of a streamed one. The body is left out for HEAD, and wherever the
/// status forbids one. `date` is up to date.
void append_response(byte_buffer& out, const request& in, const response& reply, bool keep_alive,
                     const date_line& date);

/// The interim response that lets a client send its body (RFC 9110, 15.2.1).
inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
/// The end of a chunked body, without trailers (RFC 9112, 7.1).
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace corbel::http1
