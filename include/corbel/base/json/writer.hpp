#pragma once

#include <string>
#include <string_view>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/exact_number.hpp>

namespace corbel::json {

/// Appends the value as compact JSON (RFC 8259). Members come in the order of `describe`. An object's empty
/// optional members are left out; elsewhere an empty optional is null. NaN, the infinities and enumerators
/// without a name, for which JSON has no form, are null. Floating point is the shortest text that reads back
/// the same. Members of bytes are base64 with padding. Bytes of a text that are not UTF-8 become U+FFFD: the
/// output is always valid.
void append(std::string& out, const type_descriptor& type, const void* value);

template <class T>
void append(std::string& out, const T& value) {
  append(out, type_of<T>(), &value);
}

template <class T>
std::string to_text(const T& value) {
  std::string out;
  append(out, type_of<T>(), &value);
  return out;
}

/// Appends `text` quoted and escaped, for JSON that is put together by hand. Never appends invalid UTF-8.
void append_string(std::string& out, std::string_view text);

/// Appends a number as JSON; null when it is not finite.
void append_number(std::string& out, double number);
void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, std::uint64_t number);
/// Whole numbers below 2^63 come in full, without an exponent or a fraction; others as doubles do.
void append_number(std::string& out, const exact_number& number);

}  // namespace corbel::json
