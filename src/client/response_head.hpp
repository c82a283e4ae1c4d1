#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "corbel/client/response.hpp"
#include "corbel/client/settings.hpp"
#include "corbel/http/method.hpp"

namespace corbel::outgoing {

/// How a response's body ends (RFC 9112, 6.3).
enum class body_end : std::uint8_t { none, length, chunked, close };

struct response_framing {
  body_end end = body_end::none;
  std::uint64_t length = 0;
  bool keep_alive = true;
};

/// The length of the head in front of `bytes`, its blank line included; nothing when it is not all there. One
/// that holds a bare line feed ends there: it is refused already, so nobody needs to wait for the rest.
/// `searched` says how far earlier calls have looked.
std::optional<std::size_t> find_head(std::string_view bytes, std::size_t& searched) noexcept;

/// Reads what `find_head` has found, by rules stricter than the RFC's: what two parties could read in two
/// ways (bare line feeds, both lengths, a length twice, codings other than chunked) is no response. A folded
/// line goes on behind one blank (RFC 9112, 5.2). Returns the error's cause, or nothing.
std::optional<error> read_head(std::string_view head, method asked, const client_limits& limits,
                               client_response& out, response_framing& framing);

}  // namespace corbel::outgoing
