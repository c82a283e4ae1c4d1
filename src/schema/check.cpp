#include "corbel/schema/check.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <nlohmann/json.hpp>

#include "base/float_range.hpp"
#include "corbel/base/json/dom.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/schema/format.hpp"
#include "corbel/schema/pattern.hpp"
#include "schema/canonical.hpp"
#include "schema/trim.hpp"

namespace corbel::schema {
namespace {

using json::path;
using json::violation_list;

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
  return std::to_string(n).append(" ").append(n == 1 ? one : many);
}

/// Schemes have no case (RFC 3986, 3.1).
bool has_scheme(const constraints& rules, std::string_view url) {
  const auto found = url.substr(0, url.find(':'));
  const auto all = schemes_of(rules);
  return std::any_of(all.begin(), all.end(), [found](std::string_view scheme) {
    return std::equal(found.begin(), found.end(), scheme.begin(), scheme.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  });
}

std::string scheme_phrase(const constraints& rules) {
  std::string all;
  for (const auto scheme : schemes_of(rules))
    all.append(all.empty() ? "" : " or ").append(scheme).append("://");
  return all;
}

void check_text(const constraints& rules, std::string& text, const path& at, violation_list& found) {
  if (rules.trim) trim(text);
  // A code point is one to four bytes of UTF-8: most texts need no counting.
  if ((text.size() + 3) / 4 < rules.min_length || text.size() > rules.max_length) {
    const std::size_t length = count_code_points(text);
    if (length < rules.min_length)
      found.add(at, "minLength",
                rules.min_length == 1
                    ? "must not be empty"
                    : "must be at least " + counted(rules.min_length, "character", "characters") + " long");
    if (length > rules.max_length)
      found.add(at, "maxLength",
                "must be at most " + counted(rules.max_length, "character", "characters") + " long");
  }
  if (!rules.pattern.empty() && !matches_pattern(rules.pattern, text))
    found.add(at, "pattern", "must match the pattern " + std::string(rules.pattern));
  if (rules.format != text_format::none && !matches(rules.format, text))
    found.add(at, "format", "must be " + std::string(phrase_of(rules.format)));
  else if (rules.format == text_format::url && !has_scheme(rules, text))
    found.add(at, "format", "must be a URL that begins with " + scheme_phrase(rules));
  if (rules.one_of_count > 0) {
    const auto names = rules.one_of.begin();
    const auto end = names + static_cast<std::ptrdiff_t>(rules.one_of_count);
    if (std::find(names, end, text) == end) {
      std::string all = "must be one of ";
      for (auto name = names; name != end; ++name) all.append(name == names ? "" : ", ").append(*name);
      found.add(at, "enum", std::move(all));
    }
  }
}

exact_number number_in(const type_descriptor& type, const void* value) {
  if (type.kind == type_kind::floating) return load_floating(type, value);
  if (type.is_signed) return load_integer(type, value);
  return load_unsigned(type, value);
}

float_width width_of(const type_descriptor& type) {
  return type.kind == type_kind::floating && type.bytes == sizeof(float) ? float_width::single_precision
                                                                         : float_width::double_precision;
}

/// A float that was read from "0.1" is above the double 0.1: it is compared with the float nearest to it.
exact_number bound_for(const type_descriptor& type, const exact_number& bound) {
  if (bound.is_integer() || width_of(type) == float_width::double_precision) return bound;
  if (std::abs(bound.to_double()) > most_as_float) return bound;
  return static_cast<float>(bound.to_double());
}

void check_number(const type_descriptor& type, const constraints& rules, const void* value, const path& at,
                  violation_list& found) {
  const exact_number number = number_in(type, value);
  if (rules.has_minimum) {
    const auto order = number <=> bound_for(type, rules.minimum);
    if (rules.exclusive_minimum ? !(order > 0) : !(order >= 0))
      found.add(at, rules.exclusive_minimum ? "exclusiveMinimum" : "minimum",
                json::bound_message(rules, false));
  }
  if (rules.has_maximum) {
    const auto order = number <=> bound_for(type, rules.maximum);
    if (rules.exclusive_maximum ? !(order < 0) : !(order <= 0))
      found.add(at, rules.exclusive_maximum ? "exclusiveMaximum" : "maximum",
                json::bound_message(rules, true));
  }
  if (rules.multiple_of != 0 && !is_multiple(number, rules.multiple_of, width_of(type))) {
    std::string message = "must be a multiple of ";
    json::append_number(message, rules.multiple_of);
    found.add(at, "multipleOf", std::move(message));
  }
}

/// Whether equal values of the type may differ in their JSON form, as 0.0 and -0.0 do.
bool may_spell_differently(type_kind kind) {
  switch (kind) {
    case type_kind::floating:
    case type_kind::optional:
    case type_kind::list:
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
    case type_kind::json: return true;
    default: return false;
  }
}

/// Equality by the JSON form, which every type has; sorted, so that a long list stays cheap.
bool all_differ(const type_descriptor& type, const void* list) {
  std::vector<std::string> forms(type.list->size(list));
  const bool settle = may_spell_differently(type.element->kind);
  for (std::size_t i = 0; i < forms.size(); ++i) {
    json::append(forms[i], *type.element, type.list->at(list, i));
    nlohmann::json value;
    if (!settle || !json::parse_dom(forms[i], value)) continue;
    forms[i].clear();
    append_canonical(forms[i], value);
  }
  std::sort(forms.begin(), forms.end());
  return std::adjacent_find(forms.begin(), forms.end()) == forms.end();
}

void check_list(const type_descriptor& type, const constraints& rules, const void* list, const path& at,
                bool intact, violation_list& found) {
  const std::size_t size = type.list->size(list);
  if (size < rules.min_items)
    found.add(at, "minItems", "must have at least " + counted(rules.min_items, "item", "items"));
  if (size > rules.max_items)
    found.add(at, "maxItems", "must have at most " + counted(rules.max_items, "item", "items"));
  if (rules.unique && intact && size > 1 && !all_differ(type, list))
    found.add(at, "uniqueItems", "must not have equal items");
}

void check_map(const type_descriptor& type, const constraints& rules, const void* map, const path& at,
               violation_list& found) {
  const std::size_t size = type.map->size(map);
  if (size < rules.min_items)
    found.add(at, "minProperties", "must have at least " + counted(rules.min_items, "member", "members"));
  if (size > rules.max_items)
    found.add(at, "maxProperties", "must have at most " + counted(rules.max_items, "member", "members"));
}

}  // namespace

void rule_checker::value(const type_descriptor& type, const constraints& rules, void* value, const path& at,
                         bool intact, violation_list& found) {
  const std::size_t before = found.count();
  switch (type.kind) {
    case type_kind::text: check_text(rules, *static_cast<std::string*>(value), at, found); break;
    case type_kind::integer:
    case type_kind::floating: check_number(type, rules, value, at, found); break;
    case type_kind::list: check_list(type, rules, value, at, intact, found); break;
    case type_kind::map: check_map(type, rules, value, at, found); break;
    default: break;
  }
  if (!intact || found.count() != before) return;
  for (std::size_t i = 0; i < rules.check_count; ++i)
    if (!rules.checks[i].holds(value)) found.add(at, "refine", std::string(rules.checks[i].message));
}

void rule_checker::object(const object_descriptor& object, const void* value, const path& at,
                          violation_list& found) {
  for (std::size_t i = 0; i < object.check_count; ++i)
    if (!object.checks[i].holds(value))
      found.add(at, object.checks[i].path, "refine", std::string(object.checks[i].message));
}

}  // namespace corbel::schema
