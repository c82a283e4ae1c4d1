#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/base/describe/type.hpp"

namespace corbel::data {

/// Where a condition looks: at a field, "status", or at what a column of JSON has inside, "attributes.color".
/// The keys below a field are those of its JSON.
struct member_path {
  const field_descriptor* field = nullptr;
  std::vector<std::string_view> keys;  ///< below the field; views into the name
  /// What stands there. Of kind json where nothing is known of it: then it is compared as text.
  const type_descriptor* leaf = nullptr;
  /// Of a leaf that tells the alternatives of a union apart: that union. Then the leaf is a text.
  const union_descriptor* tells_apart = nullptr;

  /// The place of the leaf in an object of the type. What is on the way there is made. Not for a leaf of kind
  /// json, nor for one that tells alternatives apart.
  void* in(void* object) const;
};

/// Empty when the type has no such place; `why` is then the rest of a sentence about `name`.
std::optional<member_path> find_member(const type_descriptor& type, std::string_view name, std::string& why);

}  // namespace corbel::data
