#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "client/response_head.hpp"

namespace corbel::outgoing {

/// Finds a body's bytes in a stream that is cut anywhere. It touches no socket. Trailers are checked and
/// dropped, never merged into the headers.
class body_framer {
 public:
  body_framer() = default;
  explicit body_framer(const response_framing& framing);

  /// Takes bytes off the front of `in` and returns the next piece of the body, a view into it. Empty when
  /// more bytes are needed, when the body is `done`, or when `why` was set.
  std::string_view next(std::string_view& in, std::optional<error>& why);
  bool done() const noexcept { return state_ == state::done; }
  /// Whether the connection may end here: then the body was whole.
  bool may_end() const noexcept { return done() || state_ == state::until_close; }

 private:
  enum class state : std::uint8_t {
    done,
    length,
    until_close,
    size,
    size_padding,
    extension,
    size_end,
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_end
  };
  bool step(char c, std::optional<error>& why);

  static constexpr std::uint32_t most_extension = 256;  // bytes of one chunk's extensions
  static constexpr std::uint32_t most_trailers = 16384;

  state state_ = state::done;
  bool last_ = false;       // the chunk of size 0 was read
  bool has_colon_ = false;  // in the trailer line
  std::uint8_t digits_ = 0;
  std::uint32_t extension_ = 0;
  std::uint32_t trailers_ = 0;
  std::uint32_t line_ = 0;
  std::uint64_t left_ = 0;
};

}  // namespace corbel::outgoing
