#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/describe/type.hpp>

namespace corbel {

/// Whether the type travels as one piece of text in a path, a query, a header, the environment or a SQL
/// parameter: everything but lists, maps, objects, unions and json. An optional of a scalar is one too.
bool is_scalar(const type_descriptor& type) noexcept;

/// What a value of the type looks like, as the rest of a sentence: "an integer from -128 to 127",
/// "one of active, archived", "a date such as 2026-12-31".
std::string expectation(const type_descriptor& type);

/// Reads a scalar from the whole of `text`. Empty on success; otherwise the `expectation` that the text did
/// not meet, and `out` is as it was. Numbers are decimal, without white space, sign `+`, or "inf"; booleans
/// are true, false, 1, 0; bytes are base64. An optional holds the value read; to clear it is the caller's
/// decision. Precondition: is_scalar(type).
std::optional<std::string> read_text(const type_descriptor& type, std::string_view text, void* out);

/// Appends the text that `read_text` reads back. An empty optional, and an enumerator without a name, append
/// nothing. Precondition: is_scalar(type).
void append_text(std::string& out, const type_descriptor& type, const void* value);

}  // namespace corbel
