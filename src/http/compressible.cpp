#include "corbel/http/compressible.hpp"

#include <array>

#include "corbel/http/field.hpp"

namespace corbel {
namespace {

constexpr std::array<std::string_view, 24> compressible_types{
    "application/ecmascript",
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/ndjson",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/typescript",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/x-ndjson",
    "application/x-sh",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/x-icon",
};
constexpr std::array<std::string_view, 3> suffixes{"+json", "+xml", "+yaml"};

}  // namespace

bool is_compressible(std::string_view content_type) noexcept {
  const auto type = next_item(content_type, ';');
  if (type.size() > 5 && iequals(type.substr(0, 5), "text/")) return true;
  for (const auto suffix : suffixes)
    if (type.size() > suffix.size() && iequals(type.substr(type.size() - suffix.size()), suffix)) return true;
  for (const auto name : compressible_types)
    if (iequals(type, name)) return true;
  return iequals(type, "image/vnd.microsoft.icon");
}

}  // namespace corbel
