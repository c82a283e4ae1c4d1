#include "corbel/schema/json_schema.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/float_range.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/schema/format.hpp"

namespace corbel::schema {
namespace {

using type_list = std::vector<const type_descriptor*>;

bool contains(const type_list& list, const type_descriptor& type) {
  return std::find(list.begin(), list.end(), &type) != list.end();
}

/// Collects the objects and unions that contain themselves, in the order they are met.
void find_recursive(const type_descriptor& type, type_list& open, type_list& done, type_list& recursive) {
  switch (type.kind) {
    case type_kind::optional:
    case type_kind::list:
    case type_kind::map: return find_recursive(*type.element, open, done, recursive);
    case type_kind::object:
    case type_kind::one_of: break;
    default: return;
  }
  if (contains(open, type)) {
    if (!contains(recursive, type)) recursive.push_back(&type);
    return;
  }
  if (contains(done, type)) return;
  open.push_back(&type);
  if (type.kind == type_kind::object)
    for (const auto& field : *type.object) find_recursive(*field.type, open, done, recursive);
  else
    for (std::size_t i = 0; i < type.one_of->count; ++i)
      find_recursive(*type.one_of->alternatives[i], open, done, recursive);
  open.pop_back();
  done.push_back(&type);
}

/// The ends of an integer type, where a double tells them exactly; 64-bit ends go by the format's name.
std::optional<exact_number> lowest(const type_descriptor& type) {
  if (!type.is_signed) return 0;
  if (type.bytes == 8) return {};
  return -std::ldexp(1.0, 8 * type.bytes - 1);
}
std::optional<exact_number> highest(const type_descriptor& type) {
  if (type.bytes == 8) return {};
  return std::ldexp(1.0, 8 * type.bytes - (type.is_signed ? 1 : 0)) - 1;
}

/// The schemes of a url as alternatives in either case: "[hH][tT][tT][pP]|...".
std::string scheme_pattern(const constraints& rules) {
  std::string out;
  for (const auto scheme : schemes_of(rules)) {
    if (!out.empty()) out.push_back('|');
    for (const char c : scheme) {
      out.push_back('[');
      out.push_back(c);
      if (c >= 'a' && c <= 'z') out.push_back(static_cast<char>(c - 'a' + 'A'));
      out.push_back(']');
    }
  }
  return out;
}

class schema_writer {
 public:
  schema_writer(const type_descriptor& root, const json_schema_options& options) : options_(options) {
    type_list open;
    type_list done;
    find_recursive(root, open, done, recursive_);
  }

  std::string write(const type_descriptor& root) {
    begin();
    schema_members(root, no_rules, false);
    if (!recursive_.empty()) {
      key("$defs");
      begin();
      for (std::size_t i = 0; i < recursive_.size(); ++i) {
        key(name_of_type(i));
        begin();
        bare_members(*recursive_[i], no_rules, false, {});
        end();
      }
      end();
    }
    end();
    return std::move(out_);
  }

 private:
  void begin() {
    out_.push_back('{');
    first_ = true;
  }
  void end() {
    out_.push_back('}');
    first_ = false;
  }
  void key(std::string_view name) {
    if (!first_) out_.push_back(',');
    first_ = false;
    json::append_string(out_, name);
    out_.push_back(':');
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    json::append_string(out_, value);
  }
  template <class T>
  void number(std::string_view name, T value) {
    key(name);
    json::append_number(out_, value);
  }
  void type_name(std::string_view name, bool nullable) {
    if (!nullable) return text("type", name);
    key("type");
    out_ += "[\"";
    out_ += name;
    out_ += "\",\"null\"]";
  }
  void names(const std::string_view* all, std::size_t count, bool nullable) {
    key("enum");
    out_.push_back('[');
    for (std::size_t i = 0; i < count; ++i) {
      if (i) out_.push_back(',');
      json::append_string(out_, all[i]);
    }
    out_ += nullable ? ",null]" : "]";
  }
  std::string name_of_type(std::size_t index) const { return "type" + std::to_string(index + 1); }

  /// The members of the schema object of any type.
  void schema_members(const type_descriptor& type, const constraints& rules, bool nullable) {
    if (type.kind == type_kind::optional) return schema_members(*type.element, rules, true);
    const bool is_ref = contains(recursive_, type);
    if (nullable && (is_ref || type.kind == type_kind::one_of)) {
      key("anyOf");
      out_.push_back('[');
      begin();
      schema_members(type, rules, false);
      end();
      out_ += ",{\"type\":\"null\"}]";
    } else if (is_ref) {
      const auto at = std::find(recursive_.begin(), recursive_.end(), &type) - recursive_.begin();
      text("$ref", std::string(options_.definitions).append(name_of_type(static_cast<std::size_t>(at))));
    } else {
      bare_members(type, rules, nullable, {});
    }
  }

  /// The same in full, and with the const of the union alternative it is.
  void bare_members(const type_descriptor& type, const constraints& rules, bool nullable,
                    std::pair<std::string_view, std::string_view> told_by) {
    switch (type.kind) {
      case type_kind::boolean: return type_name("boolean", nullable);
      case type_kind::integer: return integer(type, rules, nullable);
      case type_kind::floating: return floating(type, rules, nullable);
      case type_kind::text: return string(rules, nullable);
      case type_kind::timestamp: return formatted("date-time", nullable);
      case type_kind::date: return formatted("date", nullable);
      case type_kind::uuid: return formatted("uuid", nullable);
      case type_kind::bytes: return encoded("base64", nullable);
      case type_kind::custom: return type_name("string", nullable);
      case type_kind::enumeration:
        type_name("string", nullable);
        return names(type.enumeration->names, type.enumeration->count, nullable);
      case type_kind::list: return list(type, rules, nullable);
      case type_kind::map: return map(type, rules, nullable);
      case type_kind::object: return object(*type.object, nullable, told_by);
      case type_kind::one_of: return one_of(*type.one_of);
      case type_kind::optional:
      case type_kind::json: return;
    }
  }

  void formatted(std::string_view format, bool nullable) {
    type_name("string", nullable);
    text("format", format);
  }

  void encoded(std::string_view encoding, bool nullable) {
    type_name("string", nullable);
    text("contentEncoding", encoding);
  }

  /// The bounds of the rules, and those of the member's type where the rules leave them open.
  void bounds(const constraints& rules, std::optional<exact_number> low, std::optional<exact_number> high) {
    if (rules.has_minimum && !(low && *low > rules.minimum))
      number(rules.exclusive_minimum ? "exclusiveMinimum" : "minimum", rules.minimum);
    else if (low)
      number("minimum", *low);
    if (rules.has_maximum && !(high && *high < rules.maximum))
      number(rules.exclusive_maximum ? "exclusiveMaximum" : "maximum", rules.maximum);
    else if (high)
      number("maximum", *high);
  }

  void integer(const type_descriptor& type, const constraints& rules, bool nullable) {
    type_name("integer", nullable);
    if (type.bytes >= 4 && type.is_signed) text("format", type.bytes == 8 ? "int64" : "int32");
    bounds(rules, lowest(type), highest(type));
    if (rules.multiple_of != 0) number("multipleOf", rules.multiple_of);
  }

  void floating(const type_descriptor& type, const constraints& rules, bool nullable) {
    type_name("number", nullable);
    text("format", type.bytes == sizeof(float) ? "float" : "double");
    if (type.bytes == sizeof(float))
      bounds(rules, -most_as_float, most_as_float);
    else
      bounds(rules, {}, {});
    if (rules.multiple_of != 0) number("multipleOf", rules.multiple_of);
  }

  void string(const constraints& rules, bool nullable) {
    type_name("string", nullable);
    if (rules.min_length > 0) number("minLength", std::uint64_t{rules.min_length});
    if (rules.max_length != no_rules.max_length) number("maxLength", std::uint64_t{rules.max_length});
    if (!rules.pattern.empty()) text("pattern", rules.pattern);
    if (rules.format != text_format::none) text("format", name_of(rules.format));
    // "uri" alone would take "urn:isbn:0451450523", which has no host to be reached at.
    if (rules.format == text_format::url && rules.pattern.empty())
      text("pattern", "^(" + scheme_pattern(rules) + ")://([^/?#@]*@)?[^/?#@:]");
    if (rules.one_of_count > 0) names(rules.one_of.data(), rules.one_of_count, nullable);
    if (rules.example.empty()) return;
    key("examples");
    out_.push_back('[');
    json::append_string(out_, rules.example);
    out_.push_back(']');
  }

  void list(const type_descriptor& type, const constraints& rules, bool nullable) {
    type_name("array", nullable);
    key("items");
    begin();
    schema_members(*type.element, rules.items ? *rules.items : no_rules, false);
    end();
    if (rules.min_items > 0) number("minItems", std::uint64_t{rules.min_items});
    if (rules.max_items != no_rules.max_items) number("maxItems", std::uint64_t{rules.max_items});
    if (rules.unique) {
      key("uniqueItems");
      out_ += "true";
    }
  }

  void map(const type_descriptor& type, const constraints& rules, bool nullable) {
    type_name("object", nullable);
    key("additionalProperties");
    begin();
    schema_members(*type.element, rules.items ? *rules.items : no_rules, false);
    end();
    if (rules.min_items > 0) number("minProperties", std::uint64_t{rules.min_items});
    if (rules.max_items != no_rules.max_items) number("maxProperties", std::uint64_t{rules.max_items});
  }

  void object(const object_descriptor& object, bool nullable,
              std::pair<std::string_view, std::string_view> told_by) {
    type_name("object", nullable);
    key("properties");
    begin();
    if (told_by.first.data()) {
      key(told_by.first);
      begin();
      text("const", told_by.second);
      end();
    }
    for (const auto& field : object) {
      key(field.name);
      begin();
      schema_members(*field.type, *field.rules, false);
      if (!field.required) default_of(field, object);
      end();
    }
    end();
    required(object, told_by.first);
    if (!object.open) {
      key("additionalProperties");
      out_ += "false";
    }
  }

  void required(const object_descriptor& object, std::string_view discriminator) {
    std::string all;
    const auto add = [&all](std::string_view name) {
      if (!all.empty()) all.push_back(',');
      json::append_string(all, name);
    };
    if (discriminator.data()) add(discriminator);
    for (const auto& field : object)
      if (field.required) add(field.name);
    if (all.empty()) return;
    key("required");
    out_.append("[").append(all).append("]");
  }

  void default_of(const field_descriptor& field, const object_descriptor& object) {
    const void* value = field.member_of(object.defaults());
    if (field.type->kind == type_kind::optional && !field.type->optional->get(value)) return;
    if (field.type->kind == type_kind::date && !static_cast<const date*>(value)->ok()) return;
    key("default");
    json::append(out_, *field.type, value);
  }

  void one_of(const union_descriptor& type) {
    key("oneOf");
    out_.push_back('[');
    for (std::size_t i = 0; i < type.count; ++i) {
      if (i) out_.push_back(',');
      begin();
      bare_members(*type.alternatives[i], no_rules, false, {type.discriminator, type.names[i]});
      end();
    }
    out_.push_back(']');
    first_ = false;
    key("discriminator");
    begin();
    text("propertyName", type.discriminator);
    end();
  }

  json_schema_options options_;
  type_list recursive_;
  std::string out_;
  bool first_ = true;
};

}  // namespace

std::string json_schema(const type_descriptor& type, const json_schema_options& options) {
  return schema_writer(type, options).write(type);
}

}  // namespace corbel::schema
