#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corbel {

/// One header field, as views.
struct field_view {
  std::string_view name;
  std::string_view value;
};

/// ASCII letters compared without case, as field names are (RFC 9110, 5.1).
bool iequals(std::string_view a, std::string_view b) noexcept;

/// A non-empty run of token characters (RFC 9110, 5.6.2).
bool is_token(std::string_view text) noexcept;

/// Whether a control character other than the tab is in it.
bool has_control(std::string_view text) noexcept;

/// No control character but the tab, and neither white space nor a tab at an end (RFC 9110, 5.5). Bytes from
/// 0x80 on are let through as obs-text.
bool is_field_value(std::string_view text) noexcept;

/// Whether a comma-separated list holds `item`, compared without case (RFC 9110, 5.6.1).
bool list_contains(std::string_view list, std::string_view item) noexcept;

/// The text without spaces and tabs at its ends.
std::string_view trim_space(std::string_view text) noexcept;

/// Cuts the first element off a list and returns it trimmed; `rest` becomes what follows the separator.
std::string_view next_item(std::string_view& rest, char separator = ',') noexcept;

/// The same where a separator inside a quoted string (RFC 9110, 5.6.4) separates nothing. A quote that is
/// never closed reaches to the end.
std::string_view next_quoted_item(std::string_view& rest, char separator = ',') noexcept;

/// What a token or a quoted string says; empty when `text` is neither.
std::optional<std::string> unquote(std::string_view text);

}  // namespace corbel
