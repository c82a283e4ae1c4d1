#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corbel {

// Bytes as text, and back. Decoding is strict: each sequence of bytes has exactly one text, so no white
// space, no missing or needless padding, and no bits left over. Not in constant time: a secret that is
// compared or guessed byte by byte does not belong here.

/// Base64 with its padding (RFC 4648, 4).
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

/// The alphabet that URLs, file names and cookies take as it is, without padding (RFC 4648, 5).
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

/// Two lower-case digits a byte (RFC 4648, 8). Reads upper case, too.
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);

}  // namespace corbel
