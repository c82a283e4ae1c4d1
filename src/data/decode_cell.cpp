#include "data/decode_cell.hpp"

#include <cmath>
#include <span>

#include "base/float_range.hpp"
#include "corbel/base/encoding.hpp"
#include "corbel/base/json/decode.hpp"
#include "corbel/base/text_value.hpp"
#include "corbel/base/time.hpp"
#include "corbel/base/uuid.hpp"
#include "data/array_text.hpp"
#include "data/sql_time.hpp"

namespace corbel::data {
namespace {

bool decode_array(array_reader& in, const type_descriptor& type, void* to);

template <class T>
bool keep(const std::optional<T>& read, void* to) {
  if (read) *static_cast<T*>(to) = *read;
  return read.has_value();
}

/// "12" and "12.00": sums and averages of integers come as numeric, which has a scale.
bool decode_integer(std::string_view text, const type_descriptor& type, void* to) {
  const auto point = text.find('.');
  if (point != text.npos) {
    const auto fraction = text.substr(point + 1);
    if (fraction.empty() || fraction.find_first_not_of('0') != fraction.npos) return false;
  }
  return !read_text(type, text.substr(0, point), to);
}

bool decode_list(std::string_view text, const type_descriptor& type, void* to) {
  if (!opens_array(text)) return json::decode(type, to, text).has_value();
  array_reader in(text);
  return in.open() && decode_array(in, type, to) && in.finish();
}

bool decode_text(std::string_view text, const type_descriptor& type, void* to) {
  switch (type.kind) {
    case type_kind::integer: return decode_integer(text, type, to);
    case type_kind::timestamp: return keep(parse_timestamp(text), to) || keep(parse_sql_timestamp(text), to);
    case type_kind::floating:
    case type_kind::text:
    case type_kind::date:
    case type_kind::uuid:
    case type_kind::enumeration:
    case type_kind::custom: return !read_text(type, text, to);
    case type_kind::list: return decode_list(text, type, to);
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
    case type_kind::json: return json::decode(type, to, text).has_value();
    case type_kind::boolean:
    case type_kind::bytes:
    case type_kind::optional: break;
  }
  return false;
}

/// An integer that is not text.
bool decode_number(std::int64_t number, const type_descriptor& type, void* to) {
  switch (type.kind) {
    case type_kind::boolean: *static_cast<bool*>(to) = number == 1; return number == 0 || number == 1;
    case type_kind::integer: return store_integer(type, to, number);
    case type_kind::floating: store_floating(type, to, static_cast<double>(number)); return true;
    // A decimal type meets integers where SQLite stored "12" as a number.
    case type_kind::custom: return type.custom->parse(std::to_string(number), to);
    default: return false;
  }
}

/// The text of an array's element: as that of a cell, but for what a driver would have turned into a number
/// or a blob.
bool decode_element(std::string_view text, const type_descriptor& type, void* to) {
  switch (type.kind) {
    case type_kind::optional: return decode_element(text, *type.element, type.optional->emplace(to));
    case type_kind::boolean: *static_cast<bool*>(to) = text == "t"; return text == "t" || text == "f";
    case type_kind::bytes: {
      if (!text.starts_with("\\x")) return false;
      const auto read = from_hex(text.substr(2));
      return read && decode_cell(std::as_bytes(std::span(*read)), type, to);
    }
    default: return decode_text(text, type, to);
  }
}

bool decode_nested(array_reader& in, const type_descriptor& type, void* to) {
  if (type.kind == type_kind::optional) return decode_nested(in, *type.element, type.optional->emplace(to));
  return type.kind == type_kind::list && decode_array(in, type, to);
}

bool decode_array(array_reader& in, const type_descriptor& type, void* to) {
  const auto& of = *type.element;
  type.list->clear(to);
  for (std::string_view text;;) {
    switch (in.next(text)) {
      case array_reader::item::end: return true;
      case array_reader::item::malformed: return false;
      case array_reader::item::null:
        if (of.kind != type_kind::optional) return false;
        type.list->append(to);
        break;
      case array_reader::item::list:
        if (!decode_nested(in, of, type.list->append(to))) return false;
        break;
      case array_reader::item::text:
        if (!decode_element(text, of, type.list->append(to))) return false;
        break;
    }
  }
}

}  // namespace

bool decode_cell(const cell& from, const type_descriptor& type, void* to) {
  if (type.kind == type_kind::optional) {
    if (!is_null(from)) return decode_cell(from, *type.element, type.optional->emplace(to));
    type.optional->reset(to);
    return true;
  }
  if (const auto* text = std::get_if<std::string_view>(&from)) return decode_text(*text, type, to);
  if (const auto* whole = std::get_if<std::int64_t>(&from)) return decode_number(*whole, type, to);
  if (const auto* number = std::get_if<double>(&from)) {
    if (type.kind != type_kind::floating) return false;
    if (type.bytes == sizeof(float) && std::isfinite(*number) && !fits_float(*number)) return false;
    store_floating(type, to, *number);
    return true;
  }
  const auto* bytes = std::get_if<std::span<const std::byte>>(&from);
  if (!bytes || type.kind != type_kind::bytes) return false;
  static_cast<blob*>(to)->assign(bytes->begin(), bytes->end());
  return true;
}

}  // namespace corbel::data
