#pragma once

#include <concepts>
#include <string>
#include <type_traits>

#include <corbel/base/describe/constraints.hpp>

/// The words a `describe` function is written with: `using namespace corbel::rules;` inside it brings them
/// in.
namespace corbel::rules {

namespace detail {

/// Calls a captureless `Check` on a value of the type it takes.
template <class Check, class Value>
bool holds(const void* value) {
  return Check{}(*static_cast<const Value*>(value));
}

template <class F>
struct argument_of : argument_of<decltype(&F::operator())> {};
template <class C, class A>
struct argument_of<bool (C::*)(const A&) const> {
  using type = A;
};
template <class C, class A>
struct argument_of<bool (C::*)(A) const> {
  using type = A;
};
template <class C, class A>
struct argument_of<bool (C::*)(const A&) const noexcept> {
  using type = A;
};
template <class C, class A>
struct argument_of<bool (C::*)(A) const noexcept> {
  using type = A;
};

template <class Check>
constexpr custom_check make_check(std::string_view message, std::string_view path = {}) {
  static_assert(std::is_empty_v<Check> && std::default_initializable<Check>,
                "corbel: refine(check, message) takes a lambda that captures nothing");
  using value = std::remove_const_t<typename argument_of<Check>::type>;
  return {&holds<Check, value>, message, path, &corbel::detail::type_mark<value>};
}

}  // namespace detail

/// What every kind of rule offers. `Self` is the builder that derives from it; all of it is compile time.
template <class Self>
struct rule {
  constraints set{};

  /// May be left out of the input; the member then keeps its initialiser's value.
  constexpr Self defaulted() const {
    return with([](constraints& c) { c.defaulted = true; });
  }
  /// What such a value looks like as a text: `text().example("/etc/ssl/private/example.org.key")`. Messages
  /// about settings show it, and the schema of a text has it among its `examples`.
  constexpr Self example(std::string_view text) const {
    return with([=](constraints& c) { c.example = text; });
  }
  /// `check` is a captureless lambda taking exactly the member's type (of an optional, the type inside) by
  /// value or const reference and returning bool; it runs only when every other rule of the value holds.
  /// `message` is a sentence for the client.
  template <class Check>
  constexpr Self refine(Check, std::string_view message) const {
    return with([&](constraints& c) { c.checks.at(c.check_count++) = detail::make_check<Check>(message); });
  }

 protected:
  template <class Change>
  constexpr Self with(Change change) const {
    Self copy = static_cast<const Self&>(*this);
    change(copy.set);
    return copy;
  }
};

/// For members that need no rule but presence.
struct any_rule : rule<any_rule> {};

/// For std::string. Lengths are in code points.
struct text_rule : rule<text_rule> {
  constexpr text_rule min(std::size_t n) const {
    return with([=](constraints& c) { c.min_length = n; });
  }
  constexpr text_rule max(std::size_t n) const {
    return with([=](constraints& c) { c.max_length = n; });
  }
  constexpr text_rule length(std::size_t n) const { return min(n).max(n); }
  /// RE2 syntax (no look-around, no back-references: matching takes time linear in the text).
  constexpr text_rule pattern(std::string_view re) const {
    return with([=](constraints& c) { c.pattern = re; });
  }
  /// The path of a file, for settings: messages say so. Whether there is such a file is not looked at.
  constexpr text_rule file() const {
    return with([](constraints& c) { c.file = true; });
  }
  constexpr text_rule email() const { return format(text_format::email); }
  /// An absolute URL with a host. Of http and https, or of the up to four schemes given, in lower case:
  /// `url("postgres", "sqlite")`. The schemes are a rule because what a page links to must not be
  /// "javascript://...".
  template <class... Schemes>
  constexpr text_rule url(Schemes... schemes) const {
    static_assert(sizeof...(Schemes) <= 4, "corbel: url(...) takes at most four schemes");
    return with([=](constraints& c) {
      c.format = text_format::url;
      c.scheme_count = 0;
      ((c.schemes.at(c.scheme_count++) = schemes), ...);
    });
  }
  constexpr text_rule uuid() const { return format(text_format::uuid); }
  constexpr text_rule date_time() const { return format(text_format::date_time); }
  constexpr text_rule date() const { return format(text_format::date); }
  constexpr text_rule hostname() const { return format(text_format::hostname); }
  constexpr text_rule ipv4() const { return format(text_format::ipv4); }
  constexpr text_rule ipv6() const { return format(text_format::ipv6); }
  /// Removes white space at both ends before anything is measured, and from the value that arrives.
  constexpr text_rule trim() const {
    return with([](constraints& c) { c.trim = true; });
  }
  /// One of at most 16 literals. An enumeration with `describe` is usually better.
  template <class... Names>
  constexpr text_rule one_of(Names... names) const {
    static_assert(sizeof...(Names) <= constraints::most_names,
                  "corbel: one_of(...) takes at most 16 names; describe an enumeration for more");
    return with([=](constraints& c) { ((c.one_of.at(c.one_of_count++) = names), ...); });
  }

 private:
  constexpr text_rule format(text_format f) const {
    return with([=](constraints& c) { c.format = f; });
  }
};

/// For integers and floating point. Bounds are inclusive, and exact: write one beyond 2^53 as an integer. For
/// a `float` member, a bound with a fraction is the nearest float.
struct number_rule : rule<number_rule> {
  constexpr number_rule min(exact_number n) const {
    return with([=](constraints& c) { c.has_minimum = true, c.exclusive_minimum = false, c.minimum = n; });
  }
  constexpr number_rule max(exact_number n) const {
    return with([=](constraints& c) { c.has_maximum = true, c.exclusive_maximum = false, c.maximum = n; });
  }
  constexpr number_rule more_than(exact_number n) const {
    return with([=](constraints& c) { c.has_minimum = true, c.exclusive_minimum = true, c.minimum = n; });
  }
  constexpr number_rule less_than(exact_number n) const {
    return with([=](constraints& c) { c.has_maximum = true, c.exclusive_maximum = true, c.maximum = n; });
  }
  constexpr number_rule between(exact_number low, exact_number high) const { return min(low).max(high); }
  /// See `is_multiple` for what counts as one.
  constexpr number_rule multiple_of(exact_number n) const {
    return with([=](constraints& c) { c.multiple_of = n; });
  }
};

/// For std::vector and string-keyed maps; `Items` are the rules of every element.
template <class Items>
struct list_rule : rule<list_rule<Items>> {
  Items element{};

  constexpr list_rule min(std::size_t n) const {
    return this->with([=](constraints& c) { c.min_items = n; });
  }
  constexpr list_rule max(std::size_t n) const {
    return this->with([=](constraints& c) { c.max_items = n; });
  }
  /// No two elements may be equal.
  constexpr list_rule unique() const {
    return this->with([](constraints& c) { c.unique = true; });
  }
};

constexpr text_rule text() {
  return {};
}
constexpr number_rule number() {
  return {};
}
constexpr any_rule any() {
  return {};
}
constexpr any_rule defaulted() {
  return any().defaulted();
}
template <class Items = any_rule>
constexpr list_rule<Items> list_of(Items element = {}) {
  list_rule<Items> made;
  made.element = element;
  return made;
}

}  // namespace corbel::rules
