#pragma once

#include <corbel/http/cookie_keys.hpp>
#include <corbel/routing/extract.hpp>

namespace corbel {

/// A cookie that `cookie_keys::sign` made; the keys are what the application provides as `cookie_keys`. T is
/// a scalar, a described struct (signed as JSON), or an optional of either. An optional is empty when there
/// is no cookie, or one that was changed, moved from another name, made with a secret that is gone, or is
/// past its end; any other T is refused then.
template <class T, fixed_name Name>
struct signed_cookie : extracted<T> {
  using extracted<T>::extracted;
};

/// The same for a cookie that `cookie_keys::seal` made.
template <class T, fixed_name Name>
struct sealed_cookie : extracted<T> {
  using extracted<T>::extracted;
};

namespace detail {

enum class cookie_guard : bool { signature, seal };

void read_guarded_cookie(const request& in, cookie_guard guard, std::string_view name,
                         const type_descriptor& type, void* out, extraction& failed);

template <class T>
inline constexpr bool fits_guarded_cookie = is_one_text<T> || described<T>;
template <class T>
inline constexpr bool fits_guarded_cookie<std::optional<T>> = one_text<T> || described<T>;

template <class P, class T, fixed_name Name, cookie_guard Guard>
struct guarded_cookie_parameter : value_parameter<P> {
  static_assert(fits_guarded_cookie<T>,
                "corbel: signed_cookie<T, \"name\"> and sealed_cookie<T, \"name\"> take a number, a bool, a "
                "std::string, a described type, or an optional of these, never a view");
  static void fill(const request& in, P& into, extraction& failed) {
    if constexpr (fits_guarded_cookie<T>)
      read_guarded_cookie(in, Guard, Name.view(), type_of<T>(), &*into, failed);
  }
  static void note(endpoint_contract& c) {
    c.services.push_back({key_of<cookie_keys>(), name_of_type<cookie_keys>()});
    if constexpr (fits_guarded_cookie<T>) c.inputs.push_back(&type_of<T>());
  }
};

template <class T, fixed_name Name>
struct parameter<signed_cookie<T, Name>>
    : guarded_cookie_parameter<signed_cookie<T, Name>, T, Name, cookie_guard::signature> {};
template <class T, fixed_name Name>
struct parameter<sealed_cookie<T, Name>>
    : guarded_cookie_parameter<sealed_cookie<T, Name>, T, Name, cookie_guard::seal> {};

}  // namespace detail
}  // namespace corbel
