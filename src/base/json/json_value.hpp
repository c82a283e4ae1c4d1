#pragma once

#include <string>

#include "corbel/base/json/reader.hpp"

/// What the table-driven code needs of nlohmann::json, whose full header only json_value.cpp compiles.
/// `value` points to a nlohmann::json.
namespace corbel::json {

/// False when the text is malformed.
bool read_json(reader& in, void* value);
/// Reads a JSON merge patch (RFC 7396) and applies it to the value.
bool merge_json(reader& in, void* value);
void reset_json(void* value);
void append_json(std::string& out, const void* value);

}  // namespace corbel::json
