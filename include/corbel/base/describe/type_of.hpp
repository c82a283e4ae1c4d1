#pragma once

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <corbel/base/describe/describe.hpp>
#include <corbel/base/describe/type.hpp>
#include <corbel/base/quantity.hpp>
#include <corbel/base/time.hpp>
#include <corbel/base/uuid.hpp>

namespace corbel {

namespace detail {
template <class T>
concept has_text_functions = requires(const T& value, std::string_view text) {
  { to_text(value) } -> std::convertible_to<std::string>;
  { from_text(tag<T>{}, text) } -> std::same_as<std::optional<T>>;
};
}  // namespace detail

/// How a scalar of the user's own travels as text. Nobody needs it who can write beside T
/// `std::string to_text(const T&)` and `std::optional<T> from_text(corbel::tag<T>, std::string_view)`, and
/// for good messages `constexpr std::string_view expectation(corbel::tag<T>)`, such as "a colour such as
/// #ff8800". It is specialised for whole families of types that have a text form by other names: `static
/// std::string write(const T&)`, and `static std::optional<T> read(std::string_view)`, which is empty for
/// anything that is no T. A specialisation must be seen wherever T is used, so it belongs beside T.
template <class T>
struct text_form {};
template <detail::has_text_functions T>
struct text_form<T> {
  static std::string write(const T& value) { return to_text(value); }
  static std::optional<T> read(std::string_view text) { return from_text(tag<T>{}, text); }
};

/// A scalar of the user's own that travels as text: one that has a `text_form`.
template <class T>
concept text_scalar = requires(const T& value, std::string_view text) {
  { text_form<T>::write(value) } -> std::convertible_to<std::string>;
  { text_form<T>::read(text) } -> std::same_as<std::optional<T>>;
};

namespace detail {

template <class T>
struct type_table {
  static const type_descriptor value;
};

template <class>
inline constexpr bool is_list = false;
template <class T, class A>
inline constexpr bool is_list<std::vector<T, A>> = true;
/// These are bytes, one value.
template <>
inline constexpr bool is_list<std::vector<std::byte>> = false;

template <class>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class>
inline constexpr bool is_map = false;
template <class V, class C, class A>
inline constexpr bool is_map<std::map<std::string, V, C, A>> = true;
template <class V, class H, class E, class A>
inline constexpr bool is_map<std::unordered_map<std::string, V, H, E, A>> = true;

template <class>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;

template <class>
inline constexpr bool is_enum_description = false;
template <class E, std::size_t N>
inline constexpr bool is_enum_description<enum_description<E, N>> = true;

/// The describe() result in static storage, so that tables may point into it.
template <class T>
inline constexpr auto description = describe(tag<T>{});

/// The rule of field I of T, `Depth` element levels down.
template <class T, std::size_t I, std::size_t Depth>
constexpr const auto& rule_at() {
  if constexpr (Depth == 0)
    return std::get<I>(description<T>.fields).rule;
  else
    return rule_at<T, I, Depth - 1>().element;
}

/// That rule's constraints with the element's constraints hung below, each level in static storage.
/// Keyed by numbers: GCC 12 gives references to subobjects, used as template arguments, the same symbol.
template <class T, std::size_t I, std::size_t Depth>
struct constraints_at {
  static constexpr constraints value = [] {
    constraints set = rule_at<T, I, Depth>().set;
    if constexpr (requires { rule_at<T, I, Depth>().element; })
      set.items = &constraints_at<T, I, Depth + 1>::value;
    return set;
  }();
};

template <class T>
T& as(void* p) {
  return *static_cast<T*>(p);
}
template <class T>
const T& as(const void* p) {
  return *static_cast<const T*>(p);
}

template <class T>
void copy_value(void* to, const void* from) {
  as<T>(to) = as<T>(from);
}

template <class T, std::size_t I>
void* member_address(void* object) {
  return &(as<T>(object).*std::get<I>(description<T>.fields).member);
}

template <class Rule, class Member>
constexpr void check_rule_fits() {
  using bare = typename std::conditional_t<is_optional<Member>, Member, std::optional<Member>>::value_type;
  if constexpr (std::is_same_v<Rule, rules::text_rule>)
    static_assert(std::is_same_v<bare, std::string>,
                  "corbel: text() rules stand on std::string members only");
  if constexpr (std::is_same_v<Rule, rules::number_rule>)
    static_assert(std::is_arithmetic_v<bare> && !std::is_same_v<bare, bool>,
                  "corbel: number() rules stand on integer and floating members only");
  if constexpr (requires(Rule r) { r.element; })
    static_assert(is_list<bare> || is_map<bare>,
                  "corbel: list_of() rules stand on std::vector and map members only");
}

/// Whether each refine() of a rule, and of its elements', reads the type it will be given: what is erased
/// cannot be converted. (GCC with -fsanitize=undefined cannot ask `constraints::items` whether it is null.)
template <class Member, class T, std::size_t I, std::size_t Depth = 0>
constexpr bool checks_fit() {
  using bare = typename std::conditional_t<is_optional<Member>, Member, std::optional<Member>>::value_type;
  const constraints& set = constraints_at<T, I, Depth>::value;
  for (std::size_t i = 0; i < set.check_count; ++i)
    if (set.checks[i].argument != &type_mark<bare>) return false;
  if constexpr (requires { rule_at<T, I, Depth>().element; }) {
    if constexpr (is_list<bare>) return checks_fit<typename bare::value_type, T, I, Depth + 1>();
    if constexpr (is_map<bare>) return checks_fit<typename bare::mapped_type, T, I, Depth + 1>();
  }
  return true;
}

template <class T>
struct object_table {
  using tuple = std::remove_cvref_t<decltype(description<T>.fields)>;
  static constexpr std::size_t count = std::tuple_size_v<tuple>;
  static_assert(
      [] {
        for (std::size_t i = 0; i < description<T>.check_count; ++i)
          if (description<T>.checks[i].argument != &type_mark<T>) return false;
        return true;
      }(),
      "corbel: refine() on object(...) takes a lambda whose parameter is the described type");

  template <std::size_t I>
  static constexpr field_descriptor field() {
    using described_field = std::tuple_element_t<I, tuple>;
    using member = std::remove_cvref_t<decltype(std::declval<T&>().*std::declval<described_field>().member)>;
    using rule = decltype(described_field::rule);
    check_rule_fits<rule, member>();
    constexpr const constraints* set = &constraints_at<T, I, 0>::value;
    static_assert(checks_fit<member, T, I>(),
                  "corbel: refine() takes a lambda whose parameter is exactly the member's type (of an "
                  "optional, the type inside): const std::string&, not std::string_view");
    return {std::get<I>(description<T>.fields).name, &type_table<member>::value, &member_address<T, I>, set,
            !is_optional<member> && !set->defaulted};
  }
  template <std::size_t... I>
  static constexpr std::array<field_descriptor, count> all(std::index_sequence<I...>) {
    return {field<I>()...};
  }
  static const void* defaults() {
    // T(), here and elsewhere, because of T{} GCC 12 warns when T is an aggregate with a base.
    static const T made = T();
    return &made;
  }

  static constexpr std::array<field_descriptor, count> fields = all(std::make_index_sequence<count>{});
  static constexpr object_descriptor value{fields.data(),
                                           count,
                                           description<T>.open_to_unknown,
                                           description<T>.checks.data(),
                                           description<T>.check_count,
                                           &defaults};
};

template <class E>
struct enum_table {
  static constexpr std::size_t count = description<E>.values.size();
  static constexpr auto names = [] {
    std::array<std::string_view, count> all{};
    for (std::size_t i = 0; i < count; ++i) all[i] = description<E>.values[i].name;
    return all;
  }();
  static constexpr auto values = [] {
    std::array<std::int64_t, count> all{};
    for (std::size_t i = 0; i < count; ++i)
      all[i] = static_cast<std::int64_t>(description<E>.values[i].value);
    return all;
  }();
  static constexpr enum_descriptor value{names.data(), values.data(), count};
};

template <class T>
struct optional_table {
  static constexpr optional_descriptor value{
      [](const void* o) -> const void* { return as<T>(o) ? &*as<T>(o) : nullptr; },
      [](void* o) -> void* { return &as<T>(o).emplace(); }, [](void* o) { as<T>(o).reset(); }};
};

template <class T>
struct list_table {
  static constexpr list_descriptor value{
      [](const void* l) { return as<T>(l).size(); },
      [](const void* l, std::size_t i) -> const void* { return &as<T>(l)[i]; },
      [](void* l) -> void* {
        if (as<T>(l).capacity() == 0) as<T>(l).reserve(4);  // rather than to grow by 1, 2, 4
        return &as<T>(l).emplace_back();
      },
      [](void* l) { as<T>(l).clear(); }};
};

template <class T>
struct map_table {
  static constexpr map_descriptor value{
      [](const void* m) { return as<T>(m).size(); },
      [](void* m, std::string key) -> void* {
        const auto [at, fresh] = as<T>(m).try_emplace(std::move(key));
        return fresh ? &at->second : nullptr;
      },
      [](const void* m, void* context, void (*visit)(void*, std::string_view, const void*)) {
        for (const auto& [key, item] : as<T>(m)) visit(context, key, &item);
      },
      [](void* m) { as<T>(m).clear(); },
      [](void* m, const std::string& key) -> void* {
        const auto at = as<T>(m).find(key);
        return at == as<T>(m).end() ? nullptr : &at->second;
      },
      [](void* m, const std::string& key) { as<T>(m).erase(key); }};
};

template <class T>
constexpr std::string_view expectation_of() {
  if constexpr (requires {
                  { expectation(tag<T>{}) } -> std::convertible_to<std::string_view>;
                })
    return expectation(tag<T>{});
  else
    return {};
}

template <class T>
struct custom_table {
  static constexpr custom_text_descriptor value{
      [](std::string& out, const void* v) { out += text_form<T>::write(as<T>(v)); },
      [](std::string_view text, void* v) {
        std::optional<T> read = text_form<T>::read(text);
        if (read) as<T>(v) = std::move(*read);
        return read.has_value();
      },
      expectation_of<T>()};
};

template <class T>
struct union_table;
template <class... Ts>
struct union_table<std::variant<Ts...>> {
  using variant = std::variant<Ts...>;
  static_assert(
      description<variant>.names.size() == sizeof...(Ts),
      "corbel: one_of(...) must list one alternative for each type of the std::variant, in its order");
  static constexpr std::array<const type_descriptor*, sizeof...(Ts)> alternatives{&type_table<Ts>::value...};
  static void* emplace(void* v, std::size_t index) {
    void* made = nullptr;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((index == I ? void(made = &as<variant>(v).template emplace<I>()) : void()), ...);
    }
    (std::index_sequence_for<Ts...>{});
    return made;
  }
  static constexpr union_descriptor value{
      description<variant>.discriminator,
      description<variant>.names.data(),
      alternatives.data(),
      sizeof...(Ts),
      [](const void* v) { return as<variant>(v).index(); },
      [](const void* v) -> const void* {
        return std::visit([](const auto& held) -> const void* { return &held; }, as<variant>(v));
      },
      &emplace};
};

template <class T>
constexpr bool members_ownable() {
  if constexpr (described<T> && std::is_class_v<T> && !is_variant<T>)
    return std::apply(
        [](const auto&... each) {
          return (ownable<std::remove_cvref_t<decltype(std::declval<T&>().*each.member)>>() && ...);
        },
        description<T>.fields);
  else
    return true;
}

/// Whether a T can be copied. Containers say so of themselves even when their elements cannot be.
template <class T>
constexpr bool is_copied() {
  if constexpr (!ownable<T>() || !std::is_copy_assignable_v<T>)
    return false;
  else if constexpr (is_list<T> || is_optional<T>)
    return is_copied<typename T::value_type>();
  else
    return members_ownable<T>();
}

/// The table of a T. Behind each static_assert nothing is built that would fail for the same reason: one
/// mistake, one error.
template <class T>
constexpr type_descriptor make_type() {
  type_descriptor t{};
  if constexpr (is_copied<T>()) t.assign = &copy_value<T>;
  if constexpr (std::is_same_v<T, bool>) {
    t.kind = type_kind::boolean;
  } else if constexpr (std::is_integral_v<T>) {
    (void)ownable<T>();
    t.kind = type_kind::integer;
    t.is_signed = std::is_signed_v<T>;
    t.bytes = sizeof(T);
  } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    t.kind = type_kind::floating;
    t.bytes = sizeof(T);
  } else if constexpr (std::is_same_v<T, std::string>) {
    t.kind = type_kind::text;
  } else if constexpr (std::is_same_v<T, timestamp>) {
    t.kind = type_kind::timestamp;
  } else if constexpr (std::is_same_v<T, date>) {
    t.kind = type_kind::date;
  } else if constexpr (std::is_same_v<T, uuid>) {
    t.kind = type_kind::uuid;
  } else if constexpr (std::is_same_v<T, std::vector<std::byte>>) {
    t.kind = type_kind::bytes;
  } else if constexpr (std::is_same_v<T, nlohmann::json>) {
    t.kind = type_kind::json;
  } else if constexpr (is_optional<T>) {
    static_assert(!is_optional<typename T::value_type>,
                  "corbel: an optional of an optional has no JSON form");
    t.kind = type_kind::optional;
    t.element = &type_table<typename T::value_type>::value;
    t.optional = &optional_table<T>::value;
  } else if constexpr (is_list<T>) {
    static_assert(
        !std::is_same_v<typename T::value_type, bool>,
        "corbel: std::vector<bool> has no elements to point to; use std::vector<int> or an enumeration");
    t.kind = type_kind::list;
    t.element = &type_table<typename T::value_type>::value;
    if constexpr (!std::is_same_v<typename T::value_type, bool>) t.list = &list_table<T>::value;
  } else if constexpr (is_map<T>) {
    t.kind = type_kind::map;
    t.element = &type_table<typename T::mapped_type>::value;
    t.map = &map_table<T>::value;
  } else if constexpr (text_scalar<T>) {
    t.kind = type_kind::custom;
    t.custom = &custom_table<T>::value;
  } else if constexpr (std::is_enum_v<T>) {
    static_assert(described<T>,
                  "corbel: write `constexpr auto describe(corbel::tag<E>)` beside this enumeration, in its "
                  "namespace");
    static_assert(sizeof(T) < 8 || std::is_signed_v<std::underlying_type_t<T>>,
                  "corbel: a described enumeration fits in a signed 64-bit integer");
    t.kind = type_kind::enumeration;
    t.is_signed = std::is_signed_v<std::underlying_type_t<T>>;
    t.bytes = sizeof(T);
    if constexpr (described<T>) t.enumeration = &enum_table<T>::value;
  } else if constexpr (is_variant<T>) {
    static_assert(
        described<T>,
        "corbel: write `constexpr auto describe(corbel::tag<V>)` with one_of(...) for this variant, in the "
        "namespace of one of its types");
    t.kind = type_kind::one_of;
    if constexpr (described<T>) t.one_of = &union_table<T>::value;
  } else {
    constexpr bool owns = ownable<T>();
    static_assert(
        !owns || described<T>,
        "corbel: write `constexpr auto describe(corbel::tag<T>)` beside this type, in its namespace");
    constexpr bool makeable = std::is_default_constructible_v<T>;
    static_assert(!owns || !described<T> || makeable,
                  "corbel: a described type needs a default constructor; give its members initialisers");
    if constexpr (owns && described<T> && makeable)
      static_assert(std::is_copy_assignable_v<T> || !members_ownable<T>(),
                    "corbel: a described type can be copied; give it a copy assignment, or describe a type "
                    "that has one");
    t.kind = type_kind::object;
    if constexpr (owns && described<T> && makeable) t.object = &object_table<T>::value;
  }
  return t;
}

template <class T>
constinit const type_descriptor type_table<T>::value = make_type<T>();

}  // namespace detail

/// The table of a type: what JSON, SQL, settings and schemas know of it.
template <class T>
const type_descriptor& type_of() noexcept {
  return detail::type_table<T>::value;
}

}  // namespace corbel
