#include "schema/leaf.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <valijson/internal/adapter.hpp>
#include <vector>

#include "corbel/base/json/writer.hpp"
#include "corbel/schema/format.hpp"

namespace corbel::schema {
namespace {

using valijson::adapters::Adapter;
using complaint = std::optional<std::string>;

std::string noun_of(const Adapter& value) {
  if (value.isObject()) return "an object";
  if (value.isArray()) return "an array";
  if (value.isString()) return "a string";
  if (value.isBool()) return "a boolean";
  if (value.isNull()) return "null";
  return "a number";
}

bool is_integer(const Adapter& value) {
  return value.isInteger() || (value.isDouble() && value.getDouble() == std::trunc(value.getDouble()));
}

bool has_type(const Adapter& value, const std::string& name) {
  if (name == "object") return value.isObject();
  if (name == "array") return value.isArray();
  if (name == "string") return value.isString();
  if (name == "boolean") return value.isBool();
  if (name == "null") return value.isNull();
  if (name == "number") return value.isNumber();
  if (name == "integer") return is_integer(value);
  throw std::runtime_error("type knows no \"" + name + "\"");
}

leaf_check make_type(const Adapter& operand) {
  std::vector<std::string> names;
  if (operand.isString()) names.push_back(operand.asString());
  if (operand.isArray())
    operand.applyToArray([&names](const Adapter& name) {
      names.push_back(name.asString());
      return true;
    });
  if (names.empty()) throw std::runtime_error("type must be a name or a list of names");
  std::string wanted;
  for (const auto& name : names) {
    (void)has_type(operand, name);  // throws for a name that is none
    if (!wanted.empty()) wanted += " or ";
    wanted +=
        name == "null" ? name : (name[0] == 'a' || name[0] == 'i' || name[0] == 'o' ? "an " : "a ") + name;
  }
  return [names = std::move(names), wanted = std::move(wanted)](const Adapter& value) -> complaint {
    for (const auto& name : names)
      if (has_type(value, name)) return {};
    return "must be " + wanted + ", not " + noun_of(value);
  };
}

double number_of(const std::string& keyword, const Adapter& operand) {
  if (!operand.isNumber()) throw std::runtime_error(keyword + " must be a number");
  return operand.asDouble();
}

std::string sentence(std::string words, double number) {
  json::append_number(words, number);
  return words;
}

leaf_check make_bound(const std::string& keyword, const Adapter& operand) {
  const double bound = number_of(keyword, operand);
  const bool upper = keyword == "maximum" || keyword == "exclusiveMaximum";
  const bool open = keyword.starts_with("exclusive");
  std::string words = upper ? (open ? "must be less than " : "must be at most ")
                            : (open ? "must be more than " : "must be at least ");
  return [=, message = sentence(std::move(words), bound)](const Adapter& value) -> complaint {
    if (!value.isNumber()) return {};
    const double number = value.asDouble();
    const bool holds =
        upper ? (open ? number < bound : number <= bound) : (open ? number > bound : number >= bound);
    if (holds) return {};
    return message;
  };
}

leaf_check make_multiple(const Adapter& operand) {
  const double of = number_of("multipleOf", operand);
  if (!(of > 0)) throw std::runtime_error("multipleOf must be more than 0");
  return [of](const Adapter& value) -> complaint {
    if (!value.isNumber()) return {};
    const double quotient = value.asDouble() / of;
    if (std::isfinite(quotient) &&
        std::abs(quotient - std::round(quotient)) <= 1e-9 * std::max(1.0, std::abs(quotient)))
      return {};
    return sentence("must be a multiple of ", of);
  };
}

std::size_t code_points(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

leaf_check make_length(const std::string& keyword, const Adapter& operand) {
  if (!operand.isInteger() || operand.asInteger() < 0)
    throw std::runtime_error(keyword + " must be an integer from 0");
  const auto length = static_cast<std::size_t>(operand.asInteger());
  const bool upper = keyword == "maxLength";
  std::string message = upper ? "must be at most " : length == 1 ? "must not be empty" : "must be at least ";
  if (upper || length != 1)
    message += std::to_string(length) + (length == 1 ? " character long" : " characters long");
  return [=](const Adapter& value) -> complaint {
    if (!value.isString()) return {};
    const std::size_t found = code_points(value.asString());
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

leaf_check make_pattern(const Adapter& operand) {
  if (!operand.isString()) throw std::runtime_error("pattern must be a string");
  const std::string pattern = operand.asString();
  re2::RE2::Options quiet;
  quiet.set_log_errors(false);
  auto compiled = std::make_shared<const re2::RE2>(as_re2(pattern), quiet);
  if (!compiled->ok())
    throw std::runtime_error("the pattern " + pattern + " does not compile: " + compiled->error());
  return [compiled, pattern](const Adapter& value) -> complaint {
    if (!value.isString() || re2::RE2::PartialMatch(value.asString(), *compiled)) return {};
    return "must match the pattern " + pattern;
  };
}

leaf_check make_format(const Adapter& operand) {
  if (!operand.isString()) throw std::runtime_error("format must be a string");
  const std::string name = operand.asString();
  if (name == "uri")
    return [](const Adapter& value) -> complaint {
      if (!value.isString() || is_uri(value.asString())) return {};
      return "must be a URI such as https://example.org/path";
    };
  for (const auto format : {text_format::email, text_format::uuid, text_format::date_time, text_format::date,
                            text_format::time, text_format::hostname, text_format::ipv4, text_format::ipv6})
    if (name == name_of(format))
      return [format](const Adapter& value) -> complaint {
        if (!value.isString() || matches(format, value.asString())) return {};
        return "must be " + std::string(phrase_of(format));
      };
  return [](const Adapter&) { return complaint{}; };
}

/// One text for all values that are equal: members come sorted, whole numbers as integers.
void append_canonical(std::string& out, const Adapter& value) {
  if (value.isObject()) {
    out.push_back('{');
    value.applyToObject([&out](const std::string& name, const Adapter& member) {
      json::append_string(out, name);
      append_canonical(out, member);
      return true;
    });
    out.push_back('}');
  } else if (value.isArray()) {
    out.push_back('[');
    value.applyToArray([&out](const Adapter& item) {
      append_canonical(out, item);
      out.push_back(',');
      return true;
    });
    out.push_back(']');
  } else if (value.isString()) {
    json::append_string(out, value.asString());
  } else if (value.isBool()) {
    out += value.asBool() ? "true" : "false";
  } else if (value.isInteger()) {
    out += std::to_string(value.asInteger());
  } else if (value.isDouble()) {
    json::append_number(out, value.asDouble());
  } else {
    out += "null";
  }
}

leaf_check make_unique(const Adapter& operand) {
  if (!operand.isBool()) throw std::runtime_error("uniqueItems must be a boolean");
  if (!operand.asBool()) return [](const Adapter&) { return complaint{}; };
  return [](const Adapter& value) -> complaint {
    if (!value.isArray()) return {};
    std::vector<std::string> forms;
    value.applyToArray([&forms](const Adapter& item) {
      append_canonical(forms.emplace_back(), item);
      return true;
    });
    std::sort(forms.begin(), forms.end());
    if (std::adjacent_find(forms.begin(), forms.end()) == forms.end()) return {};
    return "must not have equal items";
  };
}

}  // namespace

leaf_check make_leaf(const std::string& keyword, const Adapter& operand) {
  if (keyword == "type") return make_type(operand);
  if (keyword == "multipleOf") return make_multiple(operand);
  if (keyword == "minLength" || keyword == "maxLength") return make_length(keyword, operand);
  if (keyword == "pattern") return make_pattern(operand);
  if (keyword == "format") return make_format(operand);
  if (keyword == "uniqueItems") return make_unique(operand);
  return make_bound(keyword, operand);
}

}  // namespace corbel::schema
