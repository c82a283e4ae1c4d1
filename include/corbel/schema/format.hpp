#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <corbel/base/describe/constraints.hpp>

namespace corbel::schema {

/// Whether the whole of `text` has the format. Each takes time linear in the text.
///
/// - email: `local@domain`; local is a dot-atom of at most 64 ASCII characters (RFC 5321 without quoted
///   strings), domain a hostname of at least two labels; at most 254 in all.
/// - url: an absolute URI (RFC 3986) with `://` and a host; any scheme: which are allowed is `schemes_of`.
/// - uuid: 36 characters, either case. date, time, date-time: RFC 3339; a time carries its offset.
/// - hostname: RFC 1123, at most 253 characters, no dot at the end.
/// - ipv4: four decimal numbers without leading zeros. ipv6: RFC 4291 with `::` and a tail of IPv4, no zone.
bool matches(text_format format, std::string_view text);

/// The schemes that a url under these rules may have, in lower case.
std::span<const std::string_view> schemes_of(const constraints& rules) noexcept;

/// Any URI with a scheme (RFC 3986), such as "urn:isbn:0451450523": JSON Schema's format "uri".
bool is_uri(std::string_view text) noexcept;

/// JSON Schema's name of a format, such as "date-time"; empty for none.
std::string_view name_of(text_format format) noexcept;

/// What a text of the format is called in a sentence, with an example.
std::string_view phrase_of(text_format format) noexcept;

}  // namespace corbel::schema
