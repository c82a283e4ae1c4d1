#pragma once

#include <concepts>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <pqxx/strconv>

#include <corbel/base/describe/type_of.hpp>

/// For code that has libpqxx types already: a class or enumeration with a `pqxx::string_traits` of its own
/// becomes a parameter, a row's value and a described member, by that text and without to_text or from_text.
///
/// Include it beside the specialisation, so that all who see the type see both. It is the user's choice to
/// include it: nothing else of Corbel brings libpqxx into a file. libpqxx 6.4 and 7 will do; the type needs a
/// default constructor. A described type, and one with to_text and from_text, stays what it is.
namespace corbel {
namespace detail {

/// Later versions of libpqxx 7 tell by a flag what a type converts to; before, it has a specialisation or
/// none.
template <class T>
constexpr bool has_string_traits() {
  if constexpr (!requires { sizeof(pqxx::string_traits<T>); })
    return false;
  else if constexpr (requires { pqxx::string_traits<T>::converts_from_string; })
    return pqxx::string_traits<T>::converts_from_string && pqxx::string_traits<T>::converts_to_string;
  else
    return true;
}

/// Not views: a value owns its data. Not what Corbel knows already.
template <class T>
concept pqxx_scalar = (std::is_class_v<T> || std::is_enum_v<T>)&&std::default_initializable<T> &&
                      !std::derived_from<T, std::string_view> && !described<T> &&
                      !has_text_functions<T> && has_string_traits<T>();

template <class T>
void read_pqxx(std::string_view text, T& out) {
  if constexpr (requires {
                  { pqxx::from_string<T>(text) } -> std::convertible_to<T>;
                })
    out = pqxx::from_string<T>(text);
  else
    pqxx::from_string(std::string(text), out);
}

}  // namespace detail

template <detail::pqxx_scalar T>
struct text_form<T> {
  static std::string write(const T& value) { return std::string(pqxx::to_string(value)); }

  /// Whatever the traits throw says that the text is no T, but for memory that ran out.
  static std::optional<T> read(std::string_view text) {
    // libpqxx 6 would read up to the first NUL and take it for the whole.
    if (text.find('\0') != text.npos) return {};
    try {
      T value = T();
      detail::read_pqxx(text, value);
      return value;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {
      return {};
    }
  }
};

}  // namespace corbel
