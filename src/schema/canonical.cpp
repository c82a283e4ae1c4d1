#include "schema/canonical.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "corbel/base/json/writer.hpp"

namespace corbel::schema {
namespace {

void append_canonical_number(std::string& out, const exact_number& number) {
  const double value = number.to_double();
  // Beyond the signed ones a double may still equal an unsigned integer.
  if (!number.is_integer() && value == std::trunc(value) && value > 0 && value < 18446744073709551616.0)
    json::append_number(out, static_cast<std::uint64_t>(value));
  else
    json::append_number(out, number);
}

}  // namespace

exact_number number_of(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  return value.get<double>();
}

void append_canonical(std::string& out, const nlohmann::json& value) {
  if (value.is_object()) {
    out.push_back('{');
    for (const auto& [name, member] : value.items()) {
      json::append_string(out, name);
      append_canonical(out, member);
    }
    out.push_back('}');
  } else if (value.is_array()) {
    out.push_back('[');
    for (const auto& item : value) {
      append_canonical(out, item);
      out.push_back(',');
    }
    out.push_back(']');
  } else if (value.is_string()) {
    json::append_string(out, value.get_ref<const std::string&>());
  } else if (value.is_boolean()) {
    out += value.get<bool>() ? "true" : "false";
  } else if (value.is_number()) {
    append_canonical_number(out, number_of(value));
  } else {
    out += "null";
  }
}

}  // namespace corbel::schema
