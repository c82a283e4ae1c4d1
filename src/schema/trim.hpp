#pragma once

#include <string>
#include <string_view>

namespace corbel::schema {

/// The text without the white space at its ends: ASCII's, and Unicode's as ECMAScript's trim sees it. A name
/// made of no-break spaces is empty to the people who read it.
std::string_view trimmed(std::string_view text) noexcept;

void trim(std::string& text);

}  // namespace corbel::schema
