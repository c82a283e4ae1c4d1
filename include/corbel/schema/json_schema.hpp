#pragma once

#include <string>
#include <string_view>

#include <corbel/base/describe/type_of.hpp>

namespace corbel::schema {

struct json_schema_options {
  /// Where the document will find this schema's "$defs", as the start of a JSON pointer in a URI fragment. A
  /// document that embeds the schema, such as OpenAPI's, says where it stands:
  /// "#/components/schemas/x/$defs/".
  std::string_view definitions = "#/$defs/";
};

/// The rules of a type as a JSON Schema: compact JSON in the words that draft 7 and 2020-12 share. Nested
/// types stand inline; those that contain themselves stand in "$defs". An optional member may be null.
/// "default" is what a default-constructed object holds. A union is a oneOf whose alternatives tell their
/// discriminator by const. Not expressible, hence not in it: `refine` checks, the form of a custom text, and
/// that a text is trimmed before it is measured.
std::string json_schema(const type_descriptor& type, const json_schema_options& options = {});

template <class T>
std::string json_schema(const json_schema_options& options = {}) {
  return json_schema(type_of<T>(), options);
}

}  // namespace corbel::schema
