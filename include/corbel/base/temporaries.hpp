#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

/// g++ before 13 destroys twice what `{...}` or `type{...}` makes of an aggregate in an expression with a
/// `co_await`, and so a lambda with captures that is written there. Functions whose result is awaited refuse
/// such temporaries where this is 1: with these compilers. It is 0 with all others. Define it as 0 in front
/// of every include to have them taken all the same.
#ifndef CORBEL_REFUSES_TEMPORARIES
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#define CORBEL_REFUSES_TEMPORARIES 1
#else
#define CORBEL_REFUSES_TEMPORARIES 0
#endif
#endif

namespace corbel::detail {

#if CORBEL_REFUSES_TEMPORARIES

/// No trait tells a lambda from a class with constructors. The name that g++ gives to it does, which ends as
/// in "main()::<lambda(int)>".
template <class T>
consteval bool is_lambda() {
  std::string_view name = __PRETTY_FUNCTION__;
  name = name.substr(name.find("T = ") + 4);
  const auto at = name.rfind("<lambda(");
  if (at == name.npos) return false;
  std::size_t open = 0;
  std::size_t outermost = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<' && open++ == 0) outermost = i;
    if (name[i] == '>' && open > 0 && --open == 0 && outermost == at) return name.substr(i + 1) == "]";
  }
  return false;
}

/// Whether T, as deduced for a `T&&`, is a temporary that may be destroyed twice. What needs no destructor
/// cannot be.
template <class T>
concept risky_temporary = std::is_class_v<T> && !std::is_trivially_destructible_v<T> &&
                          (std::is_aggregate_v<T> || is_lambda<std::remove_cv_t<T>>());

#else

template <class T>
concept risky_temporary = false;

#endif

/// Takes an overload away unless one of its arguments is such a temporary.
template <class Task, class... Given>
using if_risky = std::enable_if_t<(risky_temporary<Given> || ...), Task>;

/// Refuses temporaries, given the types that were deduced for `Given&&...`.
template <class... Given>
constexpr void name_it_first() noexcept {
  static_assert(
      !(risky_temporary<Given> || ...),
      "corbel: g++ 12 destroys this temporary twice when the call is awaited; give it a name first and "
      "pass the name, without std::move: `const project made{...}; co_await projects.insert(made);`, "
      "`const auto work = [...] {...}; co_await pool.run(work);`. g++ 13 and clang take it as it is");
}

}  // namespace corbel::detail
