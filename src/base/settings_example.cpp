#include "base/settings_example.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>

#include "corbel/base/text_value.hpp"

namespace corbel::settings {
namespace {

/// Whether a word of the variable, such as KEY of TLS_KEY, is one of these: a part of a word is none, as in
/// MONKEY.
bool has_word(std::string_view variable, std::initializer_list<std::string_view> words) {
  while (!variable.empty()) {
    const auto end = std::min(variable.find('_'), variable.size());
    const auto word = variable.substr(0, end);
    if (std::find(words.begin(), words.end(), word) != words.end()) return true;
    variable.remove_prefix(std::min(end + 1, variable.size()));
  }
  return false;
}

/// What a variable is called by its last word: TOKEN_URL is a URL.
bool ends_in(std::string_view variable, std::initializer_list<std::string_view> words) {
  return has_word(variable.substr(variable.rfind('_') + 1), words);
}

bool is_secret(std::string_view variable) {
  return has_word(variable, {"SECRET", "PASSWORD", "PASSPHRASE", "KEY", "TOKEN", "PEPPER", "SALT"});
}

std::string secret_example(const constraints& rules) {
  // Each byte is two digits.
  std::size_t bytes = std::max<std::size_t>(32, (rules.min_length + 1) / 2);
  bytes = std::max<std::size_t>(1, std::min(bytes, rules.max_length / 2));
  return "\"$(openssl rand -hex " + std::to_string(bytes) + ")\"";
}

std::string file_example(std::string_view variable) {
  if (has_word(variable, {"KEY"})) return "/etc/ssl/private/example.org.key";
  if (has_word(variable, {"CERTIFICATE", "CERTIFICATES", "CERT", "CERTS", "CA", "AUTHORITY", "PEM", "CRT"}))
    return "/etc/ssl/certs/example.org.pem";
  return "/path/to/file";
}

/// By its name alone.
std::string named_example(std::string_view variable) {
  if (ends_in(variable, {"FILE", "CERTIFICATE", "CERT", "PEM", "CRT"})) return file_example(variable);
  if (ends_in(variable, {"PATH", "DIR", "DIRECTORY", "FOLDER"})) return "/path/to/it";
  if (has_word(variable, {"DATABASE", "DB"}) && !is_secret(variable)) return "sqlite:app.db";
  if (has_word(variable, {"REDIS"}) && !is_secret(variable)) return "redis://localhost:6379";
  if (ends_in(variable, {"URL", "URI", "ORIGIN", "ORIGINS", "ENDPOINT"})) return "https://example.org/";
  if (ends_in(variable, {"HOST", "HOSTNAME"})) return "localhost";
  if (ends_in(variable, {"EMAIL", "MAIL"})) return "ada@example.org";
  return "";
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
  if (rules.file) return file_example(variable);
  if (auto named = named_example(variable); !named.empty()) return named;
  return is_secret(variable) ? secret_example(rules) : "text";
}

/// A number that keeps the bounds; of integers a whole one.
double number_example(const type_descriptor& type, const constraints& rules, std::string_view variable) {
  double n = has_word(variable, {"PORT"}) ? 8080 : 1;
  const double low = rules.minimum.to_double();
  const double high = rules.maximum.to_double();
  const double multiple = rules.multiple_of.to_double();
  const double step = multiple > 0 ? multiple : type.kind == type_kind::integer ? 1 : 0.5;
  if (rules.has_minimum) n = std::max(n, rules.exclusive_minimum ? low + step : low);
  if (rules.has_maximum) n = std::min(n, rules.exclusive_maximum ? high - step : high);
  if (multiple > 0) n = std::floor(n / step) * step;
  return n;
}

/// The first of what a description names behind "such as".
std::string first_sample(std::string_view expected) {
  constexpr std::string_view marker = "such as ";
  const auto at = expected.find(marker);
  if (at == expected.npos) return "";
  expected.remove_prefix(at + marker.size());
  return std::string(expected.substr(0, expected.find_first_of(", ")));
}

std::string scalar_text(const type_descriptor& type, const void* value) {
  std::string text;
  append_text(text, type, value);
  return text;
}

}  // namespace

std::string example_of(const type_descriptor& type, const constraints& rules, std::string_view variable,
                       const void* unset) {
  if (!rules.example.empty()) return std::string(rules.example);
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
    case type_kind::custom: return unset ? scalar_text(type, unset) : first_sample(type.custom->expected);
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
