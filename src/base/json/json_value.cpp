#include "base/json/json_value.hpp"

#include <nlohmann/json.hpp>

#include "corbel/base/json/dom.hpp"
#include "corbel/base/json/writer.hpp"

namespace corbel::json {
namespace {

using dom = nlohmann::json;

bool read_dom(reader& in, dom& out);

bool read_number(reader& in, dom& out) {
  number read;
  if (!in.number(read)) return false;
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!read.plain || read.huge || (read.negative && read.magnitude > most + 1))
    out = read.value;
  else if (!read.negative)
    out = read.magnitude;
  else
    out = static_cast<std::int64_t>(0 - read.magnitude);
  return true;
}

bool read_object(reader& in, dom& out) {
  if (!in.begin_object()) return false;
  auto& members = (out = dom::object()).get_ref<dom::object_t&>();
  std::string_view key;
  while (in.member(key)) {
    const auto [at, fresh] = members.try_emplace(std::string(key));
    if (!fresh) return in.duplicate_key();
    if (!read_dom(in, at->second)) return false;
  }
  return !in.failed();
}

bool read_array(reader& in, dom& out) {
  if (!in.begin_array()) return false;
  auto& items = (out = dom::array()).get_ref<dom::array_t&>();
  while (in.element())
    if (!read_dom(in, items.emplace_back())) return false;
  return !in.failed();
}

bool read_dom(reader& in, dom& out) {
  switch (in.peek()) {
    case value_kind::object: return read_object(in, out);
    case value_kind::array: return read_array(in, out);
    case value_kind::number: return read_number(in, out);
    case value_kind::string: {
      std::string_view text;
      if (!in.string(text)) return false;
      out = text;
      return true;
    }
    case value_kind::boolean: {
      bool flag = false;
      if (!in.boolean(flag)) return false;
      out = flag;
      return true;
    }
    case value_kind::null: out = nullptr; return in.null();
    case value_kind::none: break;
  }
  return false;
}

}  // namespace

bool read_json(reader& in, void* value) {
  return read_dom(in, *static_cast<dom*>(value));
}

bool merge_json(reader& in, void* value) {
  dom patch;
  if (!read_dom(in, patch)) return false;
  static_cast<dom*>(value)->merge_patch(patch);
  return true;
}

void reset_json(void* value) {
  *static_cast<dom*>(value) = nullptr;
}

void append_json(std::string& out, const void* value) {
  append_dom(out, *static_cast<const dom*>(value));
}

void append_dom(std::string& out, const dom& value) {
  switch (value.type()) {
    case dom::value_t::object: {
      char separator = '{';
      for (const auto& [key, item] : value.get_ref<const dom::object_t&>()) {
        out.push_back(std::exchange(separator, ','));
        append_string(out, key);
        out.push_back(':');
        append_dom(out, item);
      }
      if (separator == '{') out.push_back('{');
      out.push_back('}');
      return;
    }
    case dom::value_t::array: {
      char separator = '[';
      for (const auto& item : value.get_ref<const dom::array_t&>()) {
        out.push_back(std::exchange(separator, ','));
        append_dom(out, item);
      }
      if (separator == '[') out.push_back('[');
      out.push_back(']');
      return;
    }
    case dom::value_t::string: return append_string(out, value.get_ref<const std::string&>());
    case dom::value_t::boolean: out += value.get<bool>() ? "true" : "false"; return;
    case dom::value_t::number_integer: return append_number(out, value.get<std::int64_t>());
    case dom::value_t::number_unsigned: return append_number(out, value.get<std::uint64_t>());
    case dom::value_t::number_float: return append_number(out, value.get<double>());
    case dom::value_t::null:
    case dom::value_t::binary:
    case dom::value_t::discarded: break;
  }
  out += "null";
}

result<void> parse_dom(std::string_view text, dom& out, const limits& limit) {
  reader in(text, limit);
  if (!read_dom(in, out) || !in.finish()) return in.malformed();
  return {};
}

}  // namespace corbel::json
