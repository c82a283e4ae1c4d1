#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace corbel::coding {

/// The content codings of RFC 9110, 8.4.1, and brotli's (RFC 7932). `deflate` is read, never written: half of
/// what calls itself so is no zlib stream.
enum class format : std::uint8_t { gzip, brotli, deflate };

/// "gzip", "br", "deflate".
std::string_view name_of(format f) noexcept;
/// Without case; "x-gzip" is gzip. Empty for any other coding, "identity" included.
std::optional<format> format_named(std::string_view name) noexcept;

/// What a step of compressing asks for beyond taking its input.
enum class step : std::uint8_t {
  more,    ///< nothing: keep back what makes the result smaller
  flush,   ///< what was given so far can be read at the other end
  finish,  ///< the end
};

/// Compresses one body, given in pieces.
class encoder {
 public:
  /// `level` is 1..9 for gzip, 0..11 for brotli. `size` is the length of the whole body when it is known, or
  /// of what is worth remembering of it: a small one needs, and clears, less memory. Bytes that one instance
  /// keeps: gzip 262 KiB, 40 KiB for a size up to 4 KiB; brotli from half a megabyte on. Throws
  /// std::bad_alloc.
  encoder(format f, int level, std::optional<std::uint64_t> size = {});
  ~encoder();
  encoder(const encoder&) = delete;
  encoder& operator=(const encoder&) = delete;

  /// Appends to `out` what can be sent. Nothing may follow `finish`.
  void put(std::string_view in, step what, std::string& out);

 private:
  struct engine;
  struct gzip_engine;
  struct brotli_engine;
  std::unique_ptr<engine> engine_;
};

/// What a decoder came to.
enum class decoded : std::uint8_t {
  hungry,  ///< all input is used, and more is needed
  full,    ///< the room is used up; the rest of the input waits
  ended,   ///< the body is complete; a gzip body may go on with another member (RFC 1952, 2.2)
  broken,  ///< no such format, or bytes behind its end
};

/// Undoes one coding, in pieces.
class decoder {
 public:
  /// Throws std::bad_alloc.
  explicit decoder(format f);
  ~decoder();
  decoder(const decoder&) = delete;
  decoder& operator=(const decoder&) = delete;

  /// Cuts off what it uses of `in`, and appends at most `room` bytes to `out`. Precondition: `room` > 0.
  decoded take(std::string_view& in, std::string& out, std::size_t room);

 private:
  struct engine;
  struct zlib_engine;
  struct brotli_engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace corbel::coding
