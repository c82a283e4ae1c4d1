#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace load {

/// What is checked of one response.
struct reply {
  int status = 0;
  std::size_t length = 0;  ///< of its body, the chunked coding undone
  bool closes = false;     ///< the server says that this is the connection's last
};

/// Finds the responses in a byte stream that is cut anywhere (RFC 9112). Interim responses (1xx) are skipped,
/// bodies counted but not kept.
class reply_reader {
 public:
  /// Takes bytes off the front of `in`, up to the end of one response at most. Nothing when the response goes
  /// on behind `in`, which is empty then, or when the stream is `broken`.
  std::optional<reply> next(std::string_view& in);
  /// The connection has ended: the response that only its end completes, if there is such a one.
  std::optional<reply> end();

  /// The bytes are no HTTP/1 responses. It stays so until `clear`.
  bool broken() const noexcept { return state_ == state::broken; }
  void clear();

 private:
  enum class state : std::uint8_t { head, body, to_the_end, chunk_size, chunk, chunk_end, trailer, broken };

  void read_head(std::string_view head);
  /// A complete line without its CR LF, which may have begun in an earlier piece.
  std::optional<std::string_view> line(std::string_view& in);
  std::optional<reply> finish();
  void skip(std::string_view& in);

  state state_ = state::head;
  reply reply_;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::string partial_;     // of a head or a line that came in pieces
};

}  // namespace load
