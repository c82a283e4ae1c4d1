#include "corbel/schema/check.hpp"

#include <algorithm>
#include <cmath>
#include <compare>

#include "corbel/base/json/writer.hpp"
#include "corbel/schema/format.hpp"
#include "corbel/schema/pattern.hpp"
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

/// Compares exactly: a double cannot tell 2^53 from 2^53+1.
std::partial_ordering compare(const type_descriptor& type, const void* value, double bound) {
  if (type.kind == type_kind::floating) return load_floating(type, value) <=> bound;
  constexpr double beyond_signed = 9223372036854775808.0;
  constexpr double beyond_unsigned = 18446744073709551616.0;
  const double whole = std::floor(bound);
  const auto settle = [&](std::strong_ordering with_floor) {
    return with_floor == 0 && whole != bound ? std::strong_ordering::less : with_floor;
  };
  if (type.is_signed) {
    if (bound >= beyond_signed) return std::partial_ordering::less;
    if (bound < -beyond_signed) return std::partial_ordering::greater;
    return settle(load_integer(type, value) <=> static_cast<std::int64_t>(whole));
  }
  if (bound >= beyond_unsigned) return std::partial_ordering::less;
  if (bound < 0) return std::partial_ordering::greater;
  return settle(load_unsigned(type, value) <=> static_cast<std::uint64_t>(whole));
}

bool is_multiple(const type_descriptor& type, const void* value, double of) {
  if (type.kind == type_kind::integer && of == std::trunc(of) && std::abs(of) < 9e15) {
    const auto divisor = static_cast<std::int64_t>(std::abs(of));
    if (type.is_signed) return load_integer(type, value) % divisor == 0;
    return load_unsigned(type, value) % static_cast<std::uint64_t>(divisor) == 0;
  }
  const double number = type.kind == type_kind::floating ? load_floating(type, value)
                        : type.is_signed                 ? static_cast<double>(load_integer(type, value))
                                                         : static_cast<double>(load_unsigned(type, value));
  // 0.3 is a multiple of 0.1 to people, if not to binary fractions: the quotient may miss by rounding.
  const double quotient = number / of;
  return std::abs(quotient - std::round(quotient)) <= 1e-9 * std::max(1.0, std::abs(quotient)) &&
         std::isfinite(quotient);
}

void check_number(const type_descriptor& type, const constraints& rules, const void* value, const path& at,
                  violation_list& found) {
  if (rules.has_minimum) {
    const auto order = compare(type, value, rules.minimum);
    if (rules.exclusive_minimum ? !(order > 0) : !(order >= 0))
      found.add(at, rules.exclusive_minimum ? "exclusiveMinimum" : "minimum",
                json::bound_message(rules, false));
  }
  if (rules.has_maximum) {
    const auto order = compare(type, value, rules.maximum);
    if (rules.exclusive_maximum ? !(order < 0) : !(order <= 0))
      found.add(at, rules.exclusive_maximum ? "exclusiveMaximum" : "maximum",
                json::bound_message(rules, true));
  }
  if (rules.multiple_of != 0 && !is_multiple(type, value, rules.multiple_of)) {
    std::string message = "must be a multiple of ";
    json::append_number(message, rules.multiple_of);
    found.add(at, "multipleOf", std::move(message));
  }
}

/// Equality by the JSON form, which every type has; sorted, so that a long list stays cheap.
bool all_differ(const type_descriptor& type, const void* list) {
  std::vector<std::string> forms(type.list->size(list));
  for (std::size_t i = 0; i < forms.size(); ++i)
    json::append(forms[i], *type.element, type.list->at(list, i));
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
