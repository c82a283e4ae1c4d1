#pragma once

#include <string>
#include <string_view>

namespace corbel::data {

/// "createdAt" is "created_at" in SQL; text that is snake_case already stays as it is.
std::string snake_case(std::string_view name);
/// "created_at" is "createdAt" on the wire.
std::string camel_case(std::string_view name);

}  // namespace corbel::data
