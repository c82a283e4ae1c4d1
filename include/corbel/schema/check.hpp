#pragma once

#include <string_view>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/json/decode.hpp>
#include <corbel/base/result.hpp>

namespace corbel::schema {

/// Applies the rules of `describe` to values as they are decoded (see json::value_checker): text is trimmed
/// first, every rule of a value is tried, and a check of the user's own runs only on a value that is
/// otherwise right. Stateless: one object may serve all threads.
class rule_checker final : public json::value_checker {
 public:
  void value(const type_descriptor& type, const constraints& rules, void* value, const json::path& at,
             bool intact, json::violation_list& found) override;
  void object(const object_descriptor& object, const void* value, const json::path& at,
              json::violation_list& found) override;
};

/// Applies the rules to a value that is there already, members, elements and alternatives included; trims.
/// `in` becomes `violation::in`.
result<void> check(const type_descriptor& type, void* value, std::string_view in = "value");

template <class T>
result<void> check(T& value, std::string_view in = "value") {
  return check(type_of<T>(), &value, in);
}

/// Whether the rules themselves are sound: every pattern compiles. For the start of a program; the error
/// lists each rule that is not, with its pointer.
result<void> verify(const type_descriptor& type);

}  // namespace corbel::schema
