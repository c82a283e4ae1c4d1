#include "corbel/base/text_value.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/bytes_text.hpp"
#include "base/float_range.hpp"
#include "corbel/base/time.hpp"
#include "corbel/base/uuid.hpp"

namespace corbel {
namespace {

template <class T>
bool read_whole(std::string_view text, T& number) {
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && stop == text.data() + text.size();
}

bool read_integer(const type_descriptor& type, std::string_view text, void* out) {
  if (type.is_signed) {
    std::int64_t number = 0;
    return read_whole(text, number) && store_integer(type, out, number);
  }
  std::uint64_t number = 0;
  return read_whole(text, number) && store_unsigned(type, out, number);
}

bool read_floating(const type_descriptor& type, std::string_view text, void* out) {
  double number = 0;
  // from_chars takes "inf" and "nan"; a digit must come first, behind at most one sign.
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (text.size() <= first || text[first] < '0' || text[first] > '9') return false;
  if (!read_whole(text, number) || !std::isfinite(number)) return false;
  if (type.bytes == sizeof(float) && !fits_float(number)) return false;
  store_floating(type, out, number);
  return true;
}

bool read_boolean(std::string_view text, void* out) {
  const bool yes = text == "true" || text == "1";
  if (!yes && text != "false" && text != "0") return false;
  *static_cast<bool*>(out) = yes;
  return true;
}

template <class T>
bool keep(std::optional<T> read, void* out) {
  if (read) *static_cast<T*>(out) = *read;
  return read.has_value();
}

bool read_enumerator(const type_descriptor& type, std::string_view text, void* out) {
  const std::int64_t* value = type.enumeration->value_of(text);
  return value && store_integer(type, out, *value);
}

bool read_scalar(const type_descriptor& type, std::string_view text, void* out) {
  switch (type.kind) {
    case type_kind::boolean: return read_boolean(text, out);
    case type_kind::integer: return read_integer(type, text, out);
    case type_kind::floating: return read_floating(type, text, out);
    case type_kind::text: static_cast<std::string*>(out)->assign(text); return true;
    case type_kind::timestamp: return keep(parse_timestamp(text), out);
    case type_kind::date: return keep(parse_date(text), out);
    case type_kind::uuid: return keep(parse_uuid(text), out);
    case type_kind::enumeration: return read_enumerator(type, text, out);
    case type_kind::bytes: return read_bytes(text, *static_cast<std::vector<std::byte>*>(out));
    case type_kind::custom: return type.custom->parse(text, out);
    default: return false;
  }
}

bool read_optional(const type_descriptor& type, std::string_view text, void* out) {
  if (const void* held = type.optional->get(out))
    return read_scalar(*type.element, text, const_cast<void*>(held));
  if (read_scalar(*type.element, text, type.optional->emplace(out))) return true;
  type.optional->reset(out);
  return false;
}

std::string integer_expectation(const type_descriptor& type) {
  const int bits = 8 * type.bytes;
  if (!type.is_signed)
    return "an integer from 0 to " + std::to_string(std::numeric_limits<std::uint64_t>::max() >> (64 - bits));
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
  return "an integer from " + std::to_string(-most - 1) + " to " + std::to_string(most);
}

std::string enumeration_expectation(const enum_descriptor& names) {
  std::string all = "one of ";
  for (std::size_t i = 0; i < names.count; ++i) {
    if (i) all += ", ";
    all += names.names[i];
  }
  return all;
}

template <class T>
void append_number(std::string& out, T number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

bool is_scalar(const type_descriptor& type) noexcept {
  switch (type.bare().kind) {
    case type_kind::list:
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
    case type_kind::json:
    case type_kind::optional: return false;
    default: return true;
  }
}

std::string expectation(const type_descriptor& type) {
  switch (type.kind) {
    case type_kind::boolean: return "true or false";
    case type_kind::integer: return integer_expectation(type);
    case type_kind::floating: return "a number";
    case type_kind::text: return "a text";
    case type_kind::timestamp: return "a date-time such as 2026-01-02T03:04:05Z";
    case type_kind::date: return "a date such as 2026-12-31";
    case type_kind::uuid: return "a UUID such as 0190a5b0-6c1e-7cc0-8000-0123456789ab";
    case type_kind::bytes: return "bytes as base64 such as aGVsbG8=";
    case type_kind::enumeration: return enumeration_expectation(*type.enumeration);
    case type_kind::custom:
      return type.custom->expected.empty() ? "a text in the form this value has"
                                           : std::string(type.custom->expected);
    case type_kind::optional: return expectation(*type.element);
    case type_kind::list: return "a list";
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of: return "an object";
    case type_kind::json: return "any value";
  }
  return "a value";
}

std::optional<std::string> read_text(const type_descriptor& type, std::string_view text, void* out) {
  const bool read =
      type.kind == type_kind::optional ? read_optional(type, text, out) : read_scalar(type, text, out);
  if (read) return {};
  return expectation(type);
}

void append_text(std::string& out, const type_descriptor& type, const void* value) {
  switch (type.kind) {
    case type_kind::boolean: out += *static_cast<const bool*>(value) ? "true" : "false"; return;
    case type_kind::integer:
      if (type.is_signed) return append_number(out, load_integer(type, value));
      return append_number(out, load_unsigned(type, value));
    case type_kind::floating:
      if (type.bytes == sizeof(float)) return append_number(out, *static_cast<const float*>(value));
      return append_number(out, load_floating(type, value));
    case type_kind::text: out += *static_cast<const std::string*>(value); return;
    case type_kind::timestamp: return append_text(out, *static_cast<const timestamp*>(value));
    case type_kind::date: return append_text(out, *static_cast<const date*>(value));
    case type_kind::uuid: return append_text(out, *static_cast<const uuid*>(value));
    case type_kind::bytes: return append_bytes(out, *static_cast<const std::vector<std::byte>*>(value));
    case type_kind::enumeration: out += type.enumeration->name_of(load_integer(type, value)); return;
    case type_kind::custom: return type.custom->append(out, value);
    case type_kind::optional:
      if (const void* held = type.optional->get(value)) append_text(out, *type.element, held);
      return;
    default: return;
  }
}

}  // namespace corbel
