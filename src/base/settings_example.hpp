#pragma once

#include <string>
#include <string_view>

#include "corbel/base/describe/type.hpp"

namespace corbel::settings {

/// A value that a variable of this type and these rules could be set to, for a message. `unset` is a value of
/// the type as its initialiser makes it; the example is never taken from a value that was given.
std::string example_of(const type_descriptor& type, const constraints& rules, std::string_view variable,
                       const void* unset);

}  // namespace corbel::settings
