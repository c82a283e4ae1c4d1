#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/result.hpp>

namespace corbel::schema {

/// A name and its text, as a query string, cookies or the environment give them.
using text_pair = std::pair<std::string_view, std::string_view>;

/// Reads a described struct from such pairs, already decoded, and applies its rules. `out` is a fresh value.
/// A list member takes every occurrence of its name; any other member is given once. Unknown names are
/// refused unless the object is open. What browsers mean is met: an empty text is no value where the member
/// is an optional of anything but a text, and "on", a ticked checkbox, is true. The error lists every
/// violation, with the path "/name". Precondition: `can_read_fields(object)`.
result<void> read_fields(const type_descriptor& object, void* out, std::span<const text_pair> pairs,
                         std::string_view in);

/// One input of a form: a text, or a value that was made already, such as an uploaded file.
struct form_input {
  std::string_view name;
  std::string_view text;
  const type_descriptor* type = nullptr;  ///< of `value`; null for a text
  /// Null for a value that was refused before: then only its presence counts.
  const void* value = nullptr;
};

/// The same for the inputs of a form.
result<void> read_form(const type_descriptor& object, void* out, std::span<const form_input> inputs,
                       std::string_view in);

template <class T>
result<T> read_fields(std::span<const text_pair> pairs, std::string_view in) {
  T value = T();
  if (auto done = read_fields(type_of<T>(), &value, pairs, in); !done) return std::move(done).error();
  return value;
}

/// Whether the type is an object of scalars, lists of scalars and optionals of either: to be asked at start.
bool can_read_fields(const type_descriptor& object) noexcept;

/// Reads one scalar, such as a path parameter or a header, and applies `rules`. What is wrong is added to
/// `found` with the path "/name".
void read_one(const type_descriptor& type, const constraints& rules, void* out, std::string_view text,
              std::string_view in, std::string_view name, std::vector<violation>& found);

}  // namespace corbel::schema
