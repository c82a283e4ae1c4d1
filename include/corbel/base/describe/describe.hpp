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

namespace detail {

// By what they offer, so that nothing of the standard library has to be included for a message.
template <class T>
concept is_pointer_like = std::is_pointer_v<T> || requires(const T& p) {
  typename T::element_type;
  p.get();
  p.operator->();
};
template <class T>
concept is_view = std::is_same_v<T, std::string_view> || requires(const T& v) {
  v.remove_prefix(1);
} || requires(const T& v) {
  typename T::element_type;
  v.subspan(0);
};
template <class T>
concept is_set = requires(const T& s) {
  typename T::key_type;
  s.begin();
  requires std::is_same_v<typename T::key_type, typename T::value_type>;
};
template <class T>
concept is_other_sequence = std::is_array_v<T> || requires(T& s, typename T::value_type v) {
  s.push_front(v);
} || requires(T& s, typename T::value_type v) {
  s.fill(v);
};
template <class T>
concept holds_elements = requires(const T& v) {
  typename T::value_type;
  v.capacity();
  requires !requires {
    v.c_str();
  };
}
|| requires(const T& v) {
  typename T::value_type;
  v.has_value();
};

/// Refuses members that cannot be, whatever else their type is. A class, so that it does so once for each
/// type, and first where the user's own line names it.
template <class T>
struct ownership {
  static constexpr bool view = is_view<T>;
  static constexpr bool raw = std::is_pointer_v<T>;
  static constexpr bool pointer = !view && is_pointer_like<T>;
  static constexpr bool set = is_set<T>;
  static constexpr bool sequence = is_other_sequence<T>;
  static constexpr bool letter = std::is_same_v<T, char>;
  static_assert(!view && !raw,
                "corbel: a described member owns its data; use std::string instead of a view or a pointer");
  static_assert(!pointer || raw,
                "corbel: a described member is a value, not a pointer to one; use std::optional<T>, or "
                "std::vector<T> where a type holds some of its own kind");
  static_assert(
      !set,
      "corbel: a described member is no set; use std::vector<T>, with list_of(...).unique() for one "
      "without equal elements");
  static_assert(!sequence,
                "corbel: a described list is a std::vector<T>; use it instead of another container");
  static_assert(!letter, "corbel: a char is no number and no text; use std::string or an integer");
  static constexpr bool fits = !view && !raw && !pointer && !set && !sequence && !letter;
};
template <class T>
constexpr bool ownable() {
  if constexpr (!ownership<T>::fits)
    return false;
  else if constexpr (requires { typename T::mapped_type; })
    return ownable<typename T::mapped_type>();
  else if constexpr (holds_elements<T>)
    return ownable<typename T::value_type>();
  else
    return true;
}

}  // namespace detail

namespace rules {

/// `name` is the wire name, camelCase; SQL columns and environment variables are derived from it.
template <class Class, class Member, class Rule = any_rule>
constexpr field_description<Class, Member, Rule> field(std::string_view name, Member Class::*member,
                                                       Rule rule = {}) {
  (void)corbel::detail::ownable<std::remove_cv_t<Member>>();
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
