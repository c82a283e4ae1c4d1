#include <set>

#include "corbel/schema/check.hpp"
#include "corbel/schema/pattern.hpp"

/// The walks over whole types and values; the rules of one value are in check.cpp.
namespace corbel::schema {
namespace {

using json::path;
using json::violation_list;

class value_walk {
 public:
  explicit value_walk(violation_list& found) : found_(found) {}

  void value(const type_descriptor& type, const constraints& rules, void* value, const path& at) {
    if (type.kind == type_kind::optional) {
      if (const void* held = type.optional->get(value))
        this->value(*type.element, rules, const_cast<void*>(held), at);
      return;
    }
    const std::size_t before = found_.count();
    const constraints& of_items = rules.items ? *rules.items : no_rules;
    switch (type.kind) {
      case type_kind::list:
        for (std::size_t i = 0; i < type.list->size(value); ++i)
          this->value(*type.element, of_items, const_cast<void*>(type.list->at(value, i)), path(at, i));
        break;
      case type_kind::map: map(type, of_items, value, at); break;
      case type_kind::object: object(*type.object, value, at); break;
      case type_kind::one_of: {
        const auto& one = *type.one_of;
        object(*one.alternatives[one.index(value)]->object, const_cast<void*>(one.get(value)), at);
        break;
      }
      default: break;
    }
    rules_.value(type, rules, value, at, found_.count() == before, found_);
  }

 private:
  void object(const object_descriptor& object, void* value, const path& at) {
    const std::size_t before = found_.count();
    for (const auto& field : object)
      this->value(*field.type, *field.rules, field.member(value), path(at, field.name));
    if (found_.count() == before) rules_.object(object, value, at, found_);
  }

  void map(const type_descriptor& type, const constraints& of_items, void* value, const path& at) {
    struct state {
      value_walk& walk;
      const type_descriptor& element;
      const constraints& rules;
      const path& at;
    } now{*this, *type.element, of_items, at};
    type.map->each(value, &now, [](void* context, std::string_view key, const void* item) {
      auto& s = *static_cast<state*>(context);
      s.walk.value(s.element, s.rules, const_cast<void*>(item), path(s.at, key));
    });
  }

  violation_list& found_;
  rule_checker rules_;
};

class rule_walk {
 public:
  explicit rule_walk(violation_list& found) : found_(found) {}

  void type(const type_descriptor& type, const constraints& rules, const path& at) {
    if (!rules.pattern.empty())
      if (const auto problem = pattern_problem(rules.pattern))
        found_.add(at, "pattern",
                   "the pattern " + std::string(rules.pattern) + " does not compile: " + *problem);
    switch (type.kind) {
      case type_kind::optional: return this->type(*type.element, rules, at);
      case type_kind::list:
      case type_kind::map:
        return this->type(*type.element, rules.items ? *rules.items : no_rules, path(at, "*"));
      case type_kind::object: return object(type, at);
      case type_kind::one_of:
        for (std::size_t i = 0; i < type.one_of->count; ++i)
          object(*type.one_of->alternatives[i], path(at, type.one_of->names[i]));
        return;
      default: return;
    }
  }

 private:
  void object(const type_descriptor& type, const path& at) {
    if (!seen_.insert(&type).second) return;
    for (const auto& field : *type.object) this->type(*field.type, *field.rules, path(at, field.name));
  }

  violation_list& found_;
  std::set<const type_descriptor*> seen_;
};

}  // namespace

result<void> check(const type_descriptor& type, void* value, std::string_view in) {
  violation_list found(in);
  value_walk(found).value(type, no_rules, value, path());
  if (!found.empty()) return invalid(found.take());
  return {};
}

result<void> verify(const type_descriptor& type) {
  violation_list found("describe");
  rule_walk(found).type(type, no_rules, path());
  if (!found.empty()) return invalid(found.take());
  return {};
}

}  // namespace corbel::schema
