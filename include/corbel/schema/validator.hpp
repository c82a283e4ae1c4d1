#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include <corbel/base/json/limits.hpp>
#include <corbel/base/result.hpp>

namespace corbel::schema {

class engine;

/// A JSON Schema document, compiled once; for bodies whose rules are written as a schema file instead of a
/// described type. Copies share it, and any number of threads may use it.
class validator {
 public:
  explicit validator(std::shared_ptr<const engine> compiled) : compiled_(std::move(compiled)) {}

  /// Every violation of the schema, with JSON pointer, keyword and a sentence. `in` becomes `violation::in`.
  /// The value's nesting costs stack: take it from `json::parse_dom`, which limits it.
  result<void> check(const nlohmann::json& value, std::string_view in = "body") const;

  /// The same for a JSON text, which goes to `out` as well when one is given. Text that is no JSON is one
  /// `malformed` error that says at which byte.
  result<void> check_text(std::string_view text, std::string_view in = "body", const json::limits& limit = {},
                          nlohmann::json* out = nullptr) const;

 private:
  std::shared_ptr<const engine> compiled_;
};

/// Compiles the text of a JSON Schema, draft 7 or the part of 2020-12 that draft 7 can say. The error names
/// what is wrong with the schema and where; it is for whoever starts the program.
///
/// Patterns are RE2's and linear in the text; look-around and back-references are refused. Formats checked
/// are those of `text_format`, "uri" among them; others are annotations. Numbers are compared exactly. What
/// stands beside a $ref counts, unless $schema names draft 7 or an earlier one. Refused, rather than ignored:
/// unevaluatedItems, unevaluatedProperties, minContains, maxContains, $dynamicRef, references out of the
/// document, and references that never end.
result<validator> from_json_schema(std::string_view text);

/// The same, from a file.
result<validator> from_json_schema_file(const std::string& path);

}  // namespace corbel::schema
