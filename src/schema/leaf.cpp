#include "schema/leaf.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_set>
#include <vector>

#include "corbel/base/json/writer.hpp"
#include "corbel/schema/format.hpp"
#include "schema/canonical.hpp"

namespace corbel::schema {
namespace {

using dom = nlohmann::json;
using complaint = std::optional<std::string>;

std::string noun_of(const dom& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "a boolean";
  if (value.is_null()) return "null";
  return "a number";
}

bool is_integer(const dom& value) {
  if (!value.is_number_float()) return value.is_number_integer();
  return value.get<double>() == std::trunc(value.get<double>());
}

bool has_type(const dom& value, const std::string& name) {
  if (name == "object") return value.is_object();
  if (name == "array") return value.is_array();
  if (name == "string") return value.is_string();
  if (name == "boolean") return value.is_boolean();
  if (name == "null") return value.is_null();
  if (name == "number") return value.is_number();
  if (name == "integer") return is_integer(value);
  throw std::runtime_error("type knows no \"" + name + "\"");
}

leaf_check make_type(const dom& operand) {
  std::vector<std::string> names;
  if (operand.is_string()) names.push_back(operand.get_ref<const std::string&>());
  if (operand.is_array())
    for (const auto& name : operand) {
      if (!name.is_string()) throw std::runtime_error("type must be a name or a list of names");
      names.push_back(name.get_ref<const std::string&>());
    }
  if (names.empty()) throw std::runtime_error("type must be a name or a list of names");
  std::string wanted;
  for (const auto& name : names) {
    (void)has_type(operand, name);  // throws for a name that is none
    if (!wanted.empty()) wanted += " or ";
    wanted +=
        name == "null" ? name : (name[0] == 'a' || name[0] == 'i' || name[0] == 'o' ? "an " : "a ") + name;
  }
  return [names = std::move(names), wanted = std::move(wanted)](const dom& value) -> complaint {
    for (const auto& name : names)
      if (has_type(value, name)) return {};
    return "must be " + wanted + ", not " + noun_of(value);
  };
}

exact_number bound_of(const std::string& keyword, const dom& operand) {
  if (!operand.is_number()) throw std::runtime_error(keyword + " must be a number");
  return number_of(operand);
}

std::string with_number(std::string words, const exact_number& number) {
  json::append_number(words, number);
  return words;
}

leaf_check make_bound(const std::string& keyword, const dom& operand) {
  const exact_number bound = bound_of(keyword, operand);
  const bool upper = keyword == "maximum" || keyword == "exclusiveMaximum";
  const bool open = keyword.starts_with("exclusive");
  std::string words = upper ? (open ? "must be less than " : "must be at most ")
                            : (open ? "must be more than " : "must be at least ");
  return [=, message = with_number(std::move(words), bound)](const dom& value) -> complaint {
    if (!value.is_number()) return {};
    const auto order = number_of(value) <=> bound;
    const bool holds = upper ? (open ? order < 0 : order <= 0) : (open ? order > 0 : order >= 0);
    if (holds) return {};
    return message;
  };
}

leaf_check make_multiple(const dom& operand) {
  const exact_number of = bound_of("multipleOf", operand);
  if (!(of > 0)) throw std::runtime_error("multipleOf must be more than 0");
  return [of](const dom& value) -> complaint {
    if (!value.is_number() || is_multiple(number_of(value), of)) return {};
    return with_number("must be a multiple of ", of);
  };
}

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

leaf_check make_length(const std::string& keyword, const dom& operand) {
  if (!operand.is_number_unsigned()) throw std::runtime_error(keyword + " must be an integer from 0");
  const auto length = operand.get<std::size_t>();
  const bool upper = keyword == "maxLength";
  std::string message = upper ? "must be at most " : length == 1 ? "must not be empty" : "must be at least ";
  if (upper || length != 1)
    message += std::to_string(length) + (length == 1 ? " character long" : " characters long");
  return [=](const dom& value) -> complaint {
    if (!value.is_string()) return {};
    const std::size_t found = code_points(value.get_ref<const std::string&>());
    if (upper ? found <= length : found >= length) return {};
    return message;
  };
}

/// Schema files speak ECMAScript's dialect; of what RE2 spells differently, \uXXXX is in use.
std::string as_re2(const std::string& pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out.push_back(pattern[i]);
    } else if (pattern[i + 1] == 'u' && pattern.size() - i >= 6) {
      out.append("\\x{").append(pattern, i + 2, 4).append("}");
      i += 5;
    } else {
      out.append(pattern, i, 2);
      ++i;
    }
  }
  return out;
}

leaf_check make_pattern(const dom& operand) {
  if (!operand.is_string()) throw std::runtime_error("pattern must be a string");
  const std::string pattern = operand.get_ref<const std::string&>();
  const auto compiled = compile_pattern(pattern);
  return [compiled, pattern](const dom& value) -> complaint {
    if (!value.is_string() || re2::RE2::PartialMatch(value.get_ref<const std::string&>(), *compiled))
      return {};
    return "must match the pattern " + pattern;
  };
}

leaf_check make_format(const dom& operand) {
  if (!operand.is_string()) throw std::runtime_error("format must be a string");
  const std::string name = operand.get_ref<const std::string&>();
  if (name == "uri")
    return [](const dom& value) -> complaint {
      if (!value.is_string() || is_uri(value.get_ref<const std::string&>())) return {};
      return "must be a URI such as https://example.org/path";
    };
  for (const auto format : {text_format::email, text_format::uuid, text_format::date_time, text_format::date,
                            text_format::time, text_format::hostname, text_format::ipv4, text_format::ipv6})
    if (name == name_of(format))
      return [format](const dom& value) -> complaint {
        if (!value.is_string() || matches(format, value.get_ref<const std::string&>())) return {};
        return "must be " + std::string(phrase_of(format));
      };
  return [](const dom&) { return complaint{}; };
}

leaf_check make_unique(const dom& operand) {
  if (!operand.is_boolean()) throw std::runtime_error("uniqueItems must be a boolean");
  if (!operand.get<bool>()) return [](const dom&) { return complaint{}; };
  return [](const dom& value) -> complaint {
    if (!value.is_array()) return {};
    std::vector<std::string> forms;
    for (const auto& item : value) append_canonical(forms.emplace_back(), item);
    std::sort(forms.begin(), forms.end());
    if (std::adjacent_find(forms.begin(), forms.end()) == forms.end()) return {};
    return "must not have equal items";
  };
}

leaf_check make_enum(const dom& operand) {
  if (!operand.is_array()) throw std::runtime_error("enum must be a list of values");
  std::unordered_set<std::string> forms;
  for (const auto& one : operand) {
    std::string form;
    append_canonical(form, one);
    forms.insert(std::move(form));
  }
  return [forms = std::move(forms)](const dom& value) -> complaint {
    std::string form;
    append_canonical(form, value);
    if (forms.contains(form)) return {};
    return "must be one of the values allowed here";
  };
}

leaf_check make_const(const dom& operand) {
  std::string only;
  append_canonical(only, operand);
  return [only = std::move(only)](const dom& value) -> complaint {
    std::string form;
    append_canonical(form, value);
    if (form == only) return {};
    return "must have the one value allowed here";
  };
}

}  // namespace

std::shared_ptr<const re2::RE2> compile_pattern(const std::string& pattern) {
  re2::RE2::Options quiet;
  quiet.set_log_errors(false);
  auto compiled = std::make_shared<const re2::RE2>(as_re2(pattern), quiet);
  if (!compiled->ok())
    throw std::runtime_error("the pattern " + pattern + " does not compile: " + compiled->error());
  return compiled;
}

leaf_check make_leaf(const std::string& keyword, const dom& operand) {
  if (keyword == "type") return make_type(operand);
  if (keyword == "multipleOf") return make_multiple(operand);
  if (keyword == "minLength" || keyword == "maxLength") return make_length(keyword, operand);
  if (keyword == "pattern") return make_pattern(operand);
  if (keyword == "format") return make_format(operand);
  if (keyword == "enum") return make_enum(operand);
  if (keyword == "const") return make_const(operand);
  if (keyword == "uniqueItems") return make_unique(operand);
  return make_bound(keyword, operand);
}

}  // namespace corbel::schema
