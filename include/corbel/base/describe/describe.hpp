#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <corbel/base/describe/constraints.hpp>
#include <corbel/base/describe/rules.hpp>

namespace corbel {

/// Names a type in an overload: `constexpr auto describe(corbel::tag<project>)`, found in project's
/// namespace.
template <class T>
struct tag {
  using type = T;
};

/// A type with a `describe` beside it.
template <class T>
concept described = requires {
  describe(tag<T>{});
};

/// One member of a described type.
template <class Class, class Member, class Rule>
struct field_description {
  std::string_view name;
  Member Class::*member;
  Rule rule;
};

/// The field list of a type, in wire order.
template <class... Fields>
struct object_description {
  std::tuple<Fields...> fields;
  bool open_to_unknown = false;
  std::array<custom_check, constraints::most_checks> checks{};
  std::size_t check_count = 0;

  /// Unknown members of the input are ignored, instead of refused.
  constexpr object_description open() const {
    auto copy = *this;
    copy.open_to_unknown = true;
    return copy;
  }
  /// A check across members: a captureless lambda taking the whole object. `path` names the member to blame.
  template <class Check>
  constexpr object_description refine(Check, std::string_view message, std::string_view path = {}) const {
    auto copy = *this;
    copy.checks.at(copy.check_count++) = rules::detail::make_check<Check>(message, path);
    return copy;
  }
};

/// One name of an enumeration.
template <class E>
struct enum_value {
  std::string_view name;
  E value;
};

/// All names of an enumeration, in order.
template <class E, std::size_t N>
struct enum_description {
  std::array<enum_value<E>, N> values;
};

/// One alternative of a discriminated union.
template <class T>
struct alternative_description {
  using type = T;
  std::string_view name;
};

/// A std::variant told apart by one text member that every alternative carries on the wire.
template <class... Alternatives>
struct union_description {
  std::string_view discriminator;
  std::array<std::string_view, sizeof...(Alternatives)> names;
};

namespace rules {

/// `name` is the wire name, camelCase; SQL columns and environment variables are derived from it.
template <class Class, class Member, class Rule = any_rule>
constexpr field_description<Class, Member, Rule> field(std::string_view name, Member Class::*member,
                                                       Rule rule = {}) {
  return {name, member, rule};
}

namespace detail {

template <class Part>
inline constexpr bool is_field_list = false;
template <class... Fields>
inline constexpr bool is_field_list<object_description<Fields...>> = true;

template <class Class, class Member, class Rule>
constexpr auto fields_in(const field_description<Class, Member, Rule>& one) {
  return std::tuple(one);
}
template <class... Fields>
constexpr auto fields_in(const object_description<Fields...>& inherited) {
  if (inherited.check_count != 0)
    throw "corbel: a base class with refine(...) checks cannot be included; refine the whole class instead";
  return inherited.fields;
}
template <class... Fields>
constexpr object_description<Fields...> object_of(std::tuple<Fields...> fields) {
  return {fields};
}

}  // namespace detail

template <class... Fields>
constexpr auto object(Fields... fields) {
  if constexpr ((detail::is_field_list<Fields> || ...))
    return detail::object_of(std::tuple_cat(detail::fields_in(fields)...));
  else
    return object_description<Fields...>{{fields...}};
}

/// All fields of a described base class, in their place among those of the class itself:
/// `object(field("id", &project::id), fields_of<project_input>(), field("createdAt", &project::created_at))`.
template <class Base>
constexpr auto fields_of() {
  return describe(tag<Base>{});
}

template <class E>
constexpr enum_value<E> value(std::string_view name, E v) {
  static_assert(std::is_enum_v<E>, "corbel: value(name, e) names an enumerator");
  return {name, v};
}

template <class E, class... More>
constexpr enum_description<E, 1 + sizeof...(More)> enumeration(enum_value<E> first, More... more) {
  return {{first, more...}};
}

template <class T>
constexpr alternative_description<T> alternative(std::string_view name) {
  return {name};
}

/// `discriminator` is the wire name that tells the alternatives apart; it is no member of their C++ types.
template <class... Alternatives>
constexpr union_description<Alternatives...> one_of(std::string_view discriminator, Alternatives... all) {
  return {discriminator, {all.name...}};
}

}  // namespace rules
}  // namespace corbel
