#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace corbel {

/// A media type such as `multipart/form-data; boundary=x` (RFC 9110, 8.3.1), as views into the field.
struct media_type {
  std::string_view type;
  std::string_view subtype;
  std::string_view parameters;  ///< what follows the first ';', as sent

  /// Without case, whatever the parameters are: `is("application/json")`.
  bool is(std::string_view type_and_subtype) const noexcept;
  /// The value of a parameter, unquoted; the first of its name. Parameters that cannot be read are passed
  /// over.
  std::optional<std::string> parameter(std::string_view name) const;
  /// Whether the text in it is UTF-8: no charset is named, or that one, or US-ASCII, which is part of it.
  bool is_utf8() const;
};

/// Whether a charset parameter names UTF-8, in any spelling that is in use ("utf8"), or US-ASCII, which is
/// part of it.
bool is_utf8_label(std::string_view charset) noexcept;

/// Empty unless the text begins with `type/subtype`, both tokens.
std::optional<media_type> parse_media_type(std::string_view text) noexcept;

/// application/json, or any type that ends in +json (RFC 6839), in UTF-8.
bool is_json(std::string_view content_type);

}  // namespace corbel
