#pragma once

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "corbel/http/request.hpp"
#include "corbel/http/response.hpp"

namespace corbel::http1 {

/// Bytes to be sent: grows, keeps its capacity, and leaves what it has not been given uninitialised.
class output_buffer {
 public:
  std::string_view view() const noexcept { return {data_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Forgets the contents, and capacity beyond what most rounds need.
  void clear() noexcept;
  /// Room for `n` more bytes at the end.
  char* room(std::size_t n);
  void commit(std::size_t n) noexcept { size_ += n; }
  void append(std::string_view text);

 private:
  static constexpr std::size_t usual = 256 * 1024;
  struct freer {
    void operator()(char* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<char, freer> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110, 6.6.1), written anew once a second.
class date_line {
 public:
  static constexpr std::size_t size = 37;
  std::string_view at(std::chrono::steady_clock::time_point now);

 private:
  std::array<char, size> text_{};
  std::chrono::steady_clock::time_point good_until_{};
};

/// Whether a response of that status may have a body (RFC 9110, 6.4.1).
constexpr bool has_body(status s) noexcept {
  const auto code = static_cast<int>(s);
  return code >= 200 && code != 204 && code != 304;
}

/// Appends a whole response, or the head of a streamed one. The body is left out for HEAD, and wherever the
/// status forbids one.
void append_response(output_buffer& out, const request& in, const response& reply, bool keep_alive,
                     std::string_view date);

/// The interim response that lets a client send its body (RFC 9110, 15.2.1).
inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";
/// The end of a chunked body, without trailers (RFC 9112, 7.1).
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace corbel::http1
