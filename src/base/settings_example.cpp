#include "base/settings_example.hpp"

#include <algorithm>
#include <cmath>

#include "corbel/base/text_value.hpp"

namespace corbel::settings {
namespace {

bool holds(std::string_view variable, std::string_view word) {
  return variable.find(word) != variable.npos;
}

bool is_secret(std::string_view variable) {
  return holds(variable, "SECRET") || holds(variable, "PASSWORD") || holds(variable, "KEY") ||
         holds(variable, "TOKEN");
}

std::string text_example(const constraints& rules, std::string_view variable) {
  if (rules.one_of_count > 0) return std::string(rules.one_of[0]);
  switch (rules.format) {
    case text_format::email: return "ada@example.org";
    case text_format::url:
      return (rules.scheme_count > 0 ? std::string(rules.schemes[0]) : "https") + "://example.org/";
    case text_format::uuid: return "0190a5b0-6c1e-7cc0-8000-0123456789ab";
    case text_format::date_time: return "2026-12-31T12:00:00Z";
    case text_format::date: return "2026-12-31";
    case text_format::time: return "12:00:00Z";
    case text_format::hostname: return "example.org";
    case text_format::ipv4: return "127.0.0.1";
    case text_format::ipv6: return "::1";
    case text_format::none: break;
  }
  if (is_secret(variable)) return "\"$(openssl rand -hex 32)\"";
  if (holds(variable, "DATABASE")) return "sqlite:app.db";
  if (holds(variable, "REDIS")) return "redis://localhost:6379";
  if (holds(variable, "URL")) return "https://example.org/";
  if (holds(variable, "HOST")) return "localhost";
  return "text";
}

/// A number that keeps the bounds; of integers a whole one.
double number_example(const type_descriptor& type, const constraints& rules, std::string_view variable) {
  double n = holds(variable, "PORT") ? 8080 : 1;
  const double low = rules.minimum.to_double();
  const double high = rules.maximum.to_double();
  const double multiple = rules.multiple_of.to_double();
  const double step = multiple > 0 ? multiple : type.kind == type_kind::integer ? 1 : 0.5;
  if (rules.has_minimum) n = std::max(n, rules.exclusive_minimum ? low + step : low);
  if (rules.has_maximum) n = std::min(n, rules.exclusive_maximum ? high - step : high);
  if (multiple > 0) n = std::floor(n / step) * step;
  return n;
}

std::string scalar_text(const type_descriptor& type, const void* value) {
  std::string text;
  append_text(text, type, value);
  return text;
}

}  // namespace

std::string example_of(const type_descriptor& type, const constraints& rules, std::string_view variable,
                       const void* unset) {
  switch (type.kind) {
    case type_kind::boolean: return "true";
    case type_kind::integer:
    case type_kind::floating: {
      const double n = number_example(type, rules, variable);
      if (n == std::floor(n) && std::abs(n) < 1e15) return std::to_string(static_cast<long long>(n));
      return std::to_string(n);
    }
    case type_kind::text: return text_example(rules, variable);
    case type_kind::timestamp: return "2026-12-31T12:00:00Z";
    case type_kind::date: return "2026-12-31";
    case type_kind::uuid: return "0190a5b0-6c1e-7cc0-8000-0123456789ab";
    case type_kind::bytes: return is_secret(variable) ? "\"$(openssl rand -base64 32)\"" : "aGVsbG8=";
    case type_kind::enumeration:
      return type.enumeration->count > 0 ? std::string(type.enumeration->names[0]) : "";
    case type_kind::custom: return unset ? scalar_text(type, unset) : "";
    case type_kind::optional: return example_of(*type.element, rules, variable, nullptr);
    case type_kind::list: {
      if (!is_scalar(*type.element)) return "'[]'";
      return example_of(*type.element, rules.items ? *rules.items : no_rules, variable, nullptr);
    }
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
    case type_kind::json: return "'{}'";
  }
  return "";
}

}  // namespace corbel::settings
