#include "corbel/base/json/writer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes_text.hpp"
#include "base/json/json_value.hpp"
#include "base/json/plain_run.hpp"
#include "base/json/utf8.hpp"

namespace corbel::json {
namespace {

/// How many bytes a list's first element may ask for on behalf of the others.
constexpr std::size_t most_ahead = 64 * 1024;

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
  out.push_back(digits[c & 0xf]);
}

template <class T>
void append_digits(std::string& out, T number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

template <class T>
void append_floating(std::string& out, T number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  append_digits(out, number);
}

void append_members(std::string& out, const object_descriptor& object, const void* value, bool first) {
  for (const auto& field : object) {
    const void* member = field.member_of(value);
    const type_descriptor* type = field.type;
    if (type->kind == type_kind::optional) {
      member = type->optional->get(member);
      if (!member) continue;
      type = type->element;
    }
    if (!first) out.push_back(',');
    first = false;
    append_string(out, field.name);
    out.push_back(':');
    append(out, *type, member);
  }
}

void append_list(std::string& out, const type_descriptor& type, const void* value) {
  out.push_back('[');
  const std::size_t size = type.list->size(value);
  const auto start = out.size();
  for (std::size_t i = 0; i < size; ++i) {
    if (i) out.push_back(',');
    append(out, *type.element, type.list->at(value, i));
    // The others may well be as long; a long first one says little.
    if (i == 0) out.reserve(out.size() + std::min((size - 1) * (out.size() - start + 2), most_ahead));
  }
  out.push_back(']');
}

void append_map(std::string& out, const type_descriptor& type, const void* value) {
  struct state {
    std::string& out;
    const type_descriptor& element;
    bool first = true;
  } walk{out, *type.element};
  out.push_back('{');
  type.map->each(value, &walk, [](void* context, std::string_view key, const void* item) {
    auto& at = *static_cast<state*>(context);
    if (!at.first) at.out.push_back(',');
    at.first = false;
    append_string(at.out, key);
    at.out.push_back(':');
    append(at.out, at.element, item);
  });
  out.push_back('}');
}

void append_union(std::string& out, const union_descriptor& one_of, const void* value) {
  const std::size_t index = one_of.index(value);
  out.push_back('{');
  append_string(out, one_of.discriminator);
  out.push_back(':');
  append_string(out, one_of.names[index]);
  append_members(out, *one_of.alternatives[index]->object, one_of.get(value), false);
  out.push_back('}');
}

void append_enumerator(std::string& out, const type_descriptor& type, const void* value) {
  const auto name = type.enumeration->name_of(load_integer(type, value));
  if (name.data())
    append_string(out, name);
  else
    out += "null";
}

/// For the kinds whose text needs no escaping.
template <class T>
void append_quoted(std::string& out, const void* value) {
  out.push_back('"');
  append_text(out, *static_cast<const T*>(value));
  out.push_back('"');
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  if (all_plain(text.data(), text.size())) {
    out.push_back('"');
    out.append(text);
    out.push_back('"');
    return;
  }
  const char* at = text.data();
  const char* const end = at + text.size();
  out.push_back('"');
  for (;;) {
    const char* const stop = skip_plain(at, end);
    out.append(at, stop);
    if (stop == end) break;
    at = stop + 1;
    if (static_cast<unsigned char>(*stop) < 0x80) {
      append_escape(out, *stop);
    } else if (const std::size_t length = utf8_length(stop, end)) {
      out.append(stop, length);
      at = stop + length;
    } else {
      out += "\xef\xbf\xbd";
    }
  }
  out.push_back('"');
}

void append_number(std::string& out, double number) {
  append_floating(out, number);
}
void append_number(std::string& out, std::int64_t number) {
  append_digits(out, number);
}
void append_number(std::string& out, std::uint64_t number) {
  append_digits(out, number);
}
void append_number(std::string& out, const exact_number& number) {
  if (number.is_integer()) {
    if (number.is_negative()) out.push_back('-');
    return append_digits(out, number.magnitude());
  }
  const double value = number.to_double();
  if (value == std::trunc(value) && std::abs(value) < 9223372036854775808.0)
    return append_digits(out, static_cast<std::int64_t>(value));
  append_floating(out, value);
}

void append(std::string& out, const type_descriptor& type, const void* value) {
  switch (type.kind) {
    case type_kind::boolean: out += *static_cast<const bool*>(value) ? "true" : "false"; return;
    case type_kind::integer:
      if (type.is_signed) return append_digits(out, load_integer(type, value));
      return append_digits(out, load_unsigned(type, value));
    case type_kind::floating:
      if (type.bytes == sizeof(float)) return append_floating(out, *static_cast<const float*>(value));
      return append_floating(out, load_floating(type, value));
    case type_kind::text: return append_string(out, *static_cast<const std::string*>(value));
    case type_kind::timestamp: return append_quoted<timestamp>(out, value);
    case type_kind::date: return append_quoted<date>(out, value);
    case type_kind::uuid: return append_quoted<uuid>(out, value);
    case type_kind::bytes:
      out.push_back('"');
      append_bytes(out, *static_cast<const std::vector<std::byte>*>(value));
      out.push_back('"');
      return;
    case type_kind::enumeration: return append_enumerator(out, type, value);
    case type_kind::custom: {
      std::string text;
      type.custom->append(text, value);
      return append_string(out, text);
    }
    case type_kind::optional:
      if (const void* held = type.optional->get(value)) return append(out, *type.element, held);
      out += "null";
      return;
    case type_kind::list: return append_list(out, type, value);
    case type_kind::map: return append_map(out, type, value);
    case type_kind::object:
      out.push_back('{');
      append_members(out, *type.object, value, true);
      out.push_back('}');
      return;
    case type_kind::one_of: return append_union(out, *type.one_of, value);
    case type_kind::json: return append_json(out, value);
  }
}

}  // namespace corbel::json
