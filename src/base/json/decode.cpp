#include "corbel/base/json/decode.hpp"

#include "base/bytes_text.hpp"
#include "base/float_range.hpp"
#include "base/json/decoder.hpp"
#include "base/json/json_value.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/base/text_value.hpp"

namespace corbel::json {
namespace {

value_kind kind_of(const type_descriptor& type) {
  switch (type.kind) {
    case type_kind::boolean: return value_kind::boolean;
    case type_kind::integer:
    case type_kind::floating: return value_kind::number;
    case type_kind::list: return value_kind::array;
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of: return value_kind::object;
    case type_kind::optional:
    case type_kind::json: return value_kind::none;
    default: return value_kind::string;
  }
}

std::string wanted(const type_descriptor& type) {
  switch (type.kind) {
    case type_kind::integer: return "an integer";
    case type_kind::text:
    case type_kind::custom: return "a string";
    case type_kind::list: return "an array";
    default: return expectation(type);
  }
}

template <class T>
bool keep(std::optional<T> read, void* out) {
  if (read) *static_cast<T*>(out) = *read;
  return read.has_value();
}

}  // namespace

std::string bound_message(const constraints& rules, bool above) {
  std::string message = "must be ";
  if (above)
    message += rules.exclusive_maximum ? "less than " : "at most ";
  else
    message += rules.exclusive_minimum ? "more than " : "at least ";
  append_number(message, above ? rules.maximum : rules.minimum);
  return message;
}

bool decoder::value(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                    manner how) {
  if (type.kind == type_kind::optional) return optional(type, rules, out, at, how);
  const value_kind found = in_.peek();
  if (found == value_kind::none) return false;
  if (type.kind != type_kind::json && found != kind_of(type)) return mismatch(type, found, at);
  const std::size_t before = found_.count();
  bool container_kind = false;
  switch (type.kind) {
    case type_kind::boolean:
      if (!boolean(out)) return false;
      break;
    case type_kind::integer:
      if (!integer(type, rules, out, at)) return false;
      break;
    case type_kind::floating:
      if (!floating(type, rules, out, at)) return false;
      break;
    case type_kind::text:
      if (!text(out)) return false;
      break;
    case type_kind::json:
      if (!json(out, how)) return false;
      break;
    case type_kind::list:
    case type_kind::map:
    case type_kind::object:
    case type_kind::one_of:
      container_kind = true;
      if (!container(type, rules, out, at, how)) return false;
      break;
    default:
      if (!scalar_text(type, out, at)) return false;
  }
  const bool intact = found_.count() == before;
  // A container is measured whatever became of its elements; anything else has no value to measure.
  if (checker_ && (intact || container_kind)) checker_->value(type, rules, out, at, intact, found_);
  return true;
}

bool decoder::optional(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                       manner how) {
  if (in_.peek() == value_kind::null) {
    type.optional->reset(out);
    return in_.null();
  }
  const void* held = how == manner::merge ? type.optional->get(out) : nullptr;
  if (held) return value(*type.element, rules, const_cast<void*>(held), at, how);
  return value(*type.element, rules, type.optional->emplace(out), at,
               how == manner::merge ? manner::fresh : how);
}

bool decoder::container(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                        manner how) {
  switch (type.kind) {
    case type_kind::list: return list(type, rules, out, at);
    case type_kind::map: return map(type, rules, out, at, how);
    case type_kind::object: return object(*type.object, out, at, how, {});
    default: return one_of(*type.one_of, out, at, how);
  }
}

bool decoder::boolean(void* out) {
  return in_.boolean(*static_cast<bool*>(out));
}

bool decoder::integer(const type_descriptor& type, const constraints& rules, void* out, const path& at) {
  number read;
  if (!in_.number(read)) return false;
  if (!read.integral) {
    found_.add(at, "type", "must be an integer, without a fraction");
    return true;
  }
  constexpr std::uint64_t lowest = std::uint64_t{1} << 63;
  bool fits = !read.huge;
  if (fits && read.negative && read.magnitude != 0)
    fits =
        read.magnitude <= lowest && store_integer(type, out, static_cast<std::int64_t>(0 - read.magnitude));
  else if (fits)
    fits = store_unsigned(type, out, read.magnitude);
  if (!fits) out_of_range(type, rules, !read.negative, at);
  return true;
}

bool decoder::floating(const type_descriptor& type, const constraints& rules, void* out, const path& at) {
  number read;
  if (!in_.number(read)) return false;
  if (type.bytes == sizeof(float) && !fits_float(read.value))
    out_of_range(type, rules, !read.negative, at);
  else
    store_floating(type, out, read.value);
  return true;
}

bool decoder::text(void* out) {
  std::string_view read;
  if (!in_.string(read)) return false;
  static_cast<std::string*>(out)->assign(read);
  return true;
}

bool decoder::scalar_text(const type_descriptor& type, void* out, const path& at) {
  std::string_view read;
  if (!in_.string(read)) return false;
  bool good = false;
  switch (type.kind) {
    case type_kind::timestamp: good = keep(parse_timestamp(read), out); break;
    case type_kind::date: good = keep(parse_date(read), out); break;
    case type_kind::uuid: good = keep(parse_uuid(read), out); break;
    case type_kind::bytes: good = read_bytes(read, *static_cast<std::vector<std::byte>*>(out)); break;
    case type_kind::custom: good = type.custom->parse(read, out); break;
    default:
      if (const std::int64_t* known = type.enumeration->value_of(read))
        good = store_integer(type, out, *known);
  }
  if (!good)
    found_.add(at, type.kind == type_kind::enumeration ? "enum" : "format", "must be " + expectation(type));
  return true;
}

bool decoder::list(const type_descriptor& type, const constraints& rules, void* out, const path& at) {
  const constraints& of_items = rules.items ? *rules.items : no_rules;
  type.list->clear(out);
  if (!in_.begin_array()) return false;
  for (std::size_t i = 0; in_.element(); ++i) {
    const path here(at, i);
    if (!value(*type.element, of_items, type.list->append(out), here, manner::whole)) return false;
  }
  return !in_.failed();
}

bool decoder::map(const type_descriptor& type, const constraints& rules, void* out, const path& at,
                  manner how) {
  if (how != manner::whole) return merge_map(type, rules, out, at, how);
  const constraints& of_items = rules.items ? *rules.items : no_rules;
  type.map->clear(out);
  if (!in_.begin_object()) return false;
  std::string_view key;
  while (in_.member(key)) {
    const std::string name(key);
    void* slot = type.map->insert(out, name);
    if (!slot) return in_.duplicate_key();
    const path here(at, name);
    if (!value(*type.element, of_items, slot, here, how)) return false;
  }
  return !in_.failed();
}

bool decoder::json(void* out, manner how) {
  if (how == manner::whole || how == manner::partial) return read_json(in_, out);
  // Also a value that is not there yet takes a patch as a patch: nulls within it name what is to be absent.
  if (how == manner::fresh) reset_json(out);
  return merge_json(in_, out);
}

bool decoder::mismatch(const type_descriptor& type, value_kind found, const path& at) {
  found_.add(at, "type", "must be " + wanted(type) + ", not " + std::string(noun(found)));
  return in_.skip();
}

void decoder::out_of_range(const type_descriptor& type, const constraints& rules, bool above,
                           const path& at) {
  // The member's own rule, where it has one, tells more than the width of its type.
  const bool ruled = above ? rules.has_maximum : rules.has_minimum;
  const bool open = above ? rules.exclusive_maximum : rules.exclusive_minimum;
  const std::string rule =
      above ? (open ? "exclusiveMaximum" : "maximum") : (open ? "exclusiveMinimum" : "minimum");
  if (ruled)
    found_.add(at, rule, bound_message(rules, above));
  else if (type.kind == type_kind::floating)
    found_.add(at, rule, "must be a number that single precision can hold");
  else
    found_.add(at, rule, "must be " + expectation(type));
}

result<void> decoder::run(const type_descriptor& type, void* out, decode_mode mode) {
  const path root;
  const manner how = mode == decode_mode::whole   ? manner::whole
                     : mode == decode_mode::merge ? manner::merge
                                                  : manner::partial;
  if (!value(type, no_rules, out, root, how) || !in_.finish()) return in_.malformed();
  if (!found_.empty()) return invalid(found_.take());
  return {};
}

result<void> decode(const type_descriptor& type, void* out, std::string_view text,
                    const decode_options& options) {
  return decoder(text, options).run(type, out, options.mode);
}

}  // namespace corbel::json
