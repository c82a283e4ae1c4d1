#include "corbel/schema/fields.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/json/utf8.hpp"
#include "corbel/base/text_value.hpp"
#include "corbel/schema/check.hpp"

namespace corbel::schema {
namespace {

using json::path;
using json::violation_list;

void read_scalar(const type_descriptor& type, const constraints& rules, void* out, std::string_view text,
                 const path& at, violation_list& found) {
  if (const auto expected = read_text(type, text, out)) {
    const auto kind = type.bare().kind;
    const bool number = kind == type_kind::integer || kind == type_kind::floating;
    const bool name = kind == type_kind::enumeration;
    found.add(at,
              number || kind == type_kind::boolean ? "type"
              : name                               ? "enum"
                                                   : "format",
              "must be " + *expected);
    return;
  }
  void* value = type.kind == type_kind::optional ? const_cast<void*>(type.optional->get(out)) : out;
  // What came percent-encoded may be any bytes; JSON, databases and people expect UTF-8.
  if (type.bare().kind == type_kind::text && !json::is_utf8(text))
    return found.add(at, "format", "must be a text in UTF-8");
  rule_checker().value(type.bare(), rules, value, at, true, found);
}

/// One list member while its elements come in.
struct open_list {
  const field_descriptor* field;
  void* value;
  bool intact = true;
};

/// A browser sends an input that was left empty: an absent one, but where an empty text is a value.
bool left_empty(const field_descriptor& field, const form_input& input) {
  if (input.type || !input.text.empty() || field.type->kind != type_kind::optional) return false;
  const auto kind = field.type->bare().kind;
  return kind != type_kind::text && kind != type_kind::list;
}

/// A ticked checkbox without a value of its own arrives as "on".
std::string_view as_meant(const type_descriptor& type, std::string_view text) {
  return type.kind == type_kind::boolean && text == "on" ? "true" : text;
}

class field_reader {
 public:
  field_reader(const object_descriptor& object, void* out, violation_list& found)
      : object_(object), out_(out), found_(found), seen_(object.field_count) {}

  void read(const form_input& input) {
    const field_descriptor* field = object_.find(input.name);
    if (!field) {
      if (!object_.open)
        found_.add(path(root_, input.name), "additionalProperties",
                   "is not known here; known are " + known());
      return;
    }
    if (left_empty(*field, input)) return;
    const path at(root_, field->name);
    auto& seen = seen_[static_cast<std::size_t>(field - object_.fields)];
    const auto& type = field->type->bare();
    if (type.kind == type_kind::list) return element(*field, type, input, at);
    if (seen)
      found_.add(at, "maxItems", "must be given once");
    else
      read_value(*field->type, *field->rules, field->member(out_), input, at);
    seen = true;
  }

  void finish() {
    for (const auto& list : lists_)
      rule_checker().value(list.field->type->bare(), *list.field->rules, list.value,
                           path(root_, list.field->name), list.intact, found_);
    for (std::size_t i = 0; i < object_.field_count; ++i)
      if (object_.fields[i].required && !seen_[i])
        found_.add(path(root_, object_.fields[i].name), "required", "is required");
    if (found_.empty() && complete_) rule_checker().object(object_, out_, root_, found_);
  }

 private:
  void read_value(const type_descriptor& type, const constraints& rules, void* out, const form_input& input,
                  const path& at) {
    if (!input.type) return read_scalar(type, rules, out, as_meant(type.bare(), input.text), at, found_);
    const auto& bare = type.bare();
    if (&bare != input.type) return found_.add(at, "type", "must be a text, not a file");
    if (!input.value) {
      complete_ = false;
      return;
    }
    void* value = type.kind == type_kind::optional ? type.optional->emplace(out) : out;
    bare.assign(value, input.value);
    rule_checker().value(bare, rules, value, at, true, found_);
  }

  void element(const field_descriptor& field, const type_descriptor& type, const form_input& input,
               const path& at) {
    auto list =
        std::find_if(lists_.begin(), lists_.end(), [&](const open_list& l) { return l.field == &field; });
    if (list == lists_.end()) {
      seen_[static_cast<std::size_t>(&field - object_.fields)] = true;
      void* value = field.member(out_);
      if (field.type->kind == type_kind::optional) value = field.type->optional->emplace(value);
      type.list->clear(value);
      list = lists_.insert(lists_.end(), open_list{&field, value});
    }
    const path here(at, type.list->size(list->value));
    const std::size_t before = found_.count();
    read_value(*type.element, field.rules->items ? *field.rules->items : no_rules,
               type.list->append(list->value), input, here);
    if (found_.count() != before || !complete_) list->intact = false;
  }

  std::string known() const {
    std::string all;
    for (const auto& field : object_) {
      if (all.size() > 500) return all + ", ...";
      all.append(all.empty() ? "" : ", ").append(field.name);
    }
    return all.empty() ? "no names" : all;
  }

  const object_descriptor& object_;
  void* out_;
  violation_list& found_;
  const path root_;
  bool complete_ = true;  // no value is missing that was refused before
  std::vector<char> seen_;
  std::vector<open_list> lists_;
};

}  // namespace

bool can_read_fields(const type_descriptor& object) noexcept {
  if (object.kind != type_kind::object) return false;
  return std::all_of(object.object->begin(), object.object->end(), [](const field_descriptor& field) {
    const auto& type = field.type->bare();
    return is_scalar(type.kind == type_kind::list ? *type.element : type);
  });
}

namespace {

template <class Inputs, class AsInput>
result<void> read_all(const type_descriptor& object, void* out, const Inputs& inputs, std::string_view in,
                      AsInput as_input) {
  if (!can_read_fields(object))
    throw std::logic_error(
        "corbel: names and texts only fill a struct of scalars and lists of scalars; "
        "take nested values from the body");
  violation_list found(in);
  field_reader reader(*object.object, out, found);
  for (const auto& each : inputs) reader.read(as_input(each));
  reader.finish();
  if (!found.empty()) return invalid(found.take());
  return {};
}

}  // namespace

result<void> read_fields(const type_descriptor& object, void* out, std::span<const text_pair> pairs,
                         std::string_view in) {
  return read_all(object, out, pairs, in, [](const text_pair& pair) {
    return form_input{pair.first, pair.second};
  });
}

result<void> read_form(const type_descriptor& object, void* out, std::span<const form_input> inputs,
                       std::string_view in) {
  return read_all(object, out, inputs, in, [](const form_input& input) { return input; });
}

void read_one(const type_descriptor& type, const constraints& rules, void* out, std::string_view text,
              std::string_view in, std::string_view name, std::vector<violation>& found) {
  violation_list list(in);
  const path root;
  read_scalar(type, rules, out, text, path(root, name), list);
  for (auto& v : list.take()) found.push_back(std::move(v));
}

}  // namespace corbel::schema
