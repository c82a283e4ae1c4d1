#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "corbel/base/error.hpp"

namespace corbel::http1 {

/// Undoes the chunked coding (RFC 9112, 7.1), a byte stream cut anywhere. Extensions are checked and ignored;
/// trailers are checked and dropped, never merged into the headers.
class chunked_reader {
 public:
  enum class outcome : std::uint8_t { incomplete, complete, refused };

  /// Takes from the front of `in` what belongs to the body and appends its data to `body`, which may grow to
  /// `limit` bytes. On `complete`, `in` begins with the next request; on `refused`, `why` says why.
  outcome feed(std::string_view& in, std::string& body, std::size_t limit, std::optional<error>& why);

 private:
  enum class state : std::uint8_t {
    size,
    gap,       // blanks behind the size, or behind a name or value of an extension
    name_gap,  // behind ';', before a name
    name,
    value_gap,  // behind '=', before a value
    value,
    quoted,
    quoted_pair,
    quoted_end,
    size_end,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_end
  };
  /// One byte of a chunk's extensions; false when it has no place there.
  bool step_extension(char c);

  static constexpr std::size_t extension_limit = 256;  // bytes of one chunk's extensions
  /// Bytes of all chunks' size lines beyond what honest ones need: a client that writes byte by byte may, one
  /// that sends more extensions than body may not.
  static constexpr std::size_t waste_limit = 16 * 1024;
  static constexpr std::size_t honest_line = 16;
  static constexpr std::size_t trailer_limit = 8192;  // bytes of all trailers

  state state_ = state::size;
  bool last_ = false;  // the chunk of size 0 was read
  bool line_has_colon_ = false;
  bool may_have_value_ = false;  // the gap stands behind a name
  std::uint8_t digits_ = 0;      // of the chunk size
  std::uint16_t extension_ = 0;
  std::uint32_t waste_ = 0;
  std::uint16_t trailer_ = 0;
  std::uint16_t line_ = 0;  // bytes of the current trailer line
  std::uint64_t left_ = 0;  // of the current chunk
};

}  // namespace corbel::http1
