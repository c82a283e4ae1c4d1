#pragma once

#include <optional>
#include <string_view>

namespace corbel {

/// One tag as views.
struct tag_view {
  std::string_view opaque;
  bool weak = false;
};

/// Cuts one entity-tag off the front of `rest`; empty when none stands there. Commas and backslashes inside
/// the quotes are part of it (RFC 9110, 8.8.3).
std::optional<tag_view> take_tag(std::string_view& rest) noexcept;

}  // namespace corbel
