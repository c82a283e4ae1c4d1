#include "corbel/schema/validator.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "corbel/base/json/dom.hpp"
#include "schema/engine.hpp"

namespace corbel::schema {

result<void> validator::check(const nlohmann::json& value, std::string_view in) const {
  auto found = compiled_->run(value);
  if (found.empty()) return {};
  for (auto& v : found) v.in = in;
  return invalid(std::move(found));
}

result<void> validator::check_text(std::string_view text, std::string_view in, const json::limits& limit,
                                   nlohmann::json* out) const {
  nlohmann::json value;
  if (auto read = json::parse_dom(text, value, limit); !read) return read;
  auto checked = check(value, in);
  if (checked && out) *out = std::move(value);
  return checked;
}

result<validator> from_json_schema(std::string_view text) {
  nlohmann::json document;
  if (const auto read = json::parse_dom(text, document); !read)
    return error{error_kind::internal, "bad_schema",
                 "The JSON Schema cannot be used: " + read.error().message()};
  auto prepared = prepare_schema(std::move(document));
  if (!prepared) return std::move(prepared).error();
  auto compiled = compile_schema(std::move(*prepared));
  if (!compiled) return std::move(compiled).error();
  return validator(std::move(*compiled));
}

result<validator> from_json_schema_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return error{error_kind::internal, "bad_schema",
                 "The JSON Schema file " + path + " cannot be read; check that it exists and is not empty."};
  return from_json_schema(text.str());
}

}  // namespace corbel::schema
