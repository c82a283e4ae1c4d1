#include "corbel/http/media_type.hpp"

#include "corbel/http/field.hpp"

namespace corbel {

bool media_type::is(std::string_view type_and_subtype) const noexcept {
  const auto slash = type_and_subtype.find('/');
  return slash != std::string_view::npos && iequals(type, type_and_subtype.substr(0, slash)) &&
         iequals(subtype, type_and_subtype.substr(slash + 1));
}

std::optional<std::string> media_type::parameter(std::string_view name) const {
  auto rest = parameters;
  while (!rest.empty()) {
    const auto each = next_quoted_item(rest, ';');
    const auto equals = each.find('=');
    if (equals == std::string_view::npos || !iequals(each.substr(0, equals), name)) continue;
    if (auto value = unquote(each.substr(equals + 1))) return value;
  }
  return {};
}

bool media_type::is_utf8() const {
  const auto charset = parameter("charset");
  return !charset || is_utf8_label(*charset);
}

bool is_utf8_label(std::string_view charset) noexcept {
  for (const char* label : {"utf-8", "utf8", "unicode-1-1-utf-8", "us-ascii", "ascii"})
    if (iequals(charset, label)) return true;
  return false;
}

std::optional<media_type> parse_media_type(std::string_view text) noexcept {
  auto rest = text;
  const auto name = next_item(rest, ';');
  const auto slash = name.find('/');
  if (slash == std::string_view::npos || !is_token(name.substr(0, slash)) ||
      !is_token(name.substr(slash + 1)))
    return {};
  return media_type{name.substr(0, slash), name.substr(slash + 1), rest};
}

bool is_json(std::string_view content_type) {
  const auto type = parse_media_type(content_type);
  if (!type) return false;
  const auto plus = type->subtype.rfind('+');
  const bool json = type->is("application/json") ||
                    (plus != std::string_view::npos && iequals(type->subtype.substr(plus), "+json"));
  return json && type->is_utf8();
}

}  // namespace corbel
