#pragma once

#include <cstdint>
#include <string_view>

namespace corbel {

/// The request methods of RFC 9110, 9.3, and PATCH (RFC 5789). `other` is any other valid token.
enum class method : std::uint8_t { get, head, post, put, patch, del, options, connect, trace, other };

inline constexpr std::size_t method_count = 10;

/// "GET"; "OTHER" for `other`.
std::string_view to_string(method m) noexcept;
/// Method names are case-sensitive: "get" is `other`.
method method_of(std::string_view name) noexcept;

}  // namespace corbel
