#pragma once

#include <string>
#include <string_view>

namespace corbel::data {

/// "createdAt" is "created_at" in SQL; text that is snake_case already stays as it is.
std::string snake_case(std::string_view name);
/// Whether `snake_case(name) == column`, without making it.
bool matches_snake_case(std::string_view name, std::string_view column) noexcept;
/// "created_at" is "createdAt" on the wire.
std::string camel_case(std::string_view name);

}  // namespace corbel::data
