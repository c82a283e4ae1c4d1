#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "corbel/http/request.hpp"

namespace corbel {

/// The value of a list field; several fields of one name are joined by commas (RFC 9110, 5.3) in `joined`.
inline std::optional<std::string_view> combined(const request& in, std::string_view name,
                                                std::string& joined) {
  std::optional<std::string_view> found;
  for (const auto& field : in.headers()) {
    if (!iequals(field.name, name)) continue;
    if (!found) {
      found = field.value;
      continue;
    }
    if (joined.empty()) joined = *found;
    joined.append(", ").append(field.value);
    found = joined;
  }
  return found;
}

}  // namespace corbel
