#pragma once

#include <string_view>

#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/json/limits.hpp>
#include <corbel/base/result.hpp>
#include <corbel/schema/check.hpp>

namespace corbel::schema {

struct parse_options {
  std::string_view in = "body";  ///< `violation::in`: where the text came from
  json::limits limits{};
};

/// Reads a JSON text into `out`, a fresh value of the type, and applies the rules of its `describe`, in one
/// pass. The error is `malformed` (the text is not JSON; it says at which byte) or `invalid` (every broken
/// rule, up to 100).
result<void> parse_into(const type_descriptor& type, void* out, std::string_view text,
                        const parse_options& options = {});

/// A T that satisfies its rules, or what is wrong with the text.
template <class T>
result<T> parse(std::string_view text, const parse_options& options = {}) {
  T value = T();
  if (auto done = parse_into(type_of<T>(), &value, text, options); !done) return std::move(done).error();
  return value;
}

}  // namespace corbel::schema
