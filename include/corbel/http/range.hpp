#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <corbel/http/conditional.hpp>
#include <corbel/http/request.hpp>
#include <corbel/http/response.hpp>

namespace corbel {

/// Bytes `first` to `last`, both included (RFC 9110, 14.1.2).
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  std::uint64_t length() const noexcept { return last - first + 1; }
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// What to send of a representation.
struct range_choice {
  enum class kind : std::uint8_t {
    whole,          ///< 200 with all of it
    partial,        ///< 206 with `ranges`: one as the body, several as multipart/byteranges
    unsatisfiable,  ///< 416: `refuse_range`
  };
  kind what = kind::whole;
  std::vector<byte_range> ranges;  ///< ascending, apart from each other, within the representation
};

/// Reads Range and If-Range for a representation of `size` bytes; to be asked last, once the preconditions
/// let the request proceed (RFC 9110, 13.2.2). `whole` where the field must or may be ignored: another method
/// than GET, another unit than bytes, a field that cannot be read or stands there twice, an If-Range that
/// names another state, and more than `most_ranges` ranges, since a few bytes must not ask for thousands of
/// parts. Ranges that overlap, or lie closer together than the head of a part would take, become one.
range_choice choose_ranges(const request& in, std::uint64_t size, const validators& current);

inline constexpr std::size_t most_ranges = 16;

/// "bytes 0-99/1000", for Content-Range.
std::string content_range(const byte_range& range, std::uint64_t size);

/// The error envelope with 416 and `Content-Range: bytes */size`.
void refuse_range(const request& in, std::uint64_t size, response& out);

}  // namespace corbel
