#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace corbel {

/// Names a type at run time, without RTTI's comparison of names: the address is the key.
using type_key = const void*;

namespace detail {
template <class T>
inline constexpr char key_of_type = 0;

/// The readable name of T, cut out of what the compiler calls this function.
template <class T>
constexpr std::string_view name_of_type() {
  const std::string_view all = __PRETTY_FUNCTION__;
  const auto from = all.find("T = ") + 4;
  return all.substr(from, all.find_first_of(";]", from) - from);
}

template <class T>
inline constexpr bool is_shared = false;
template <class T>
inline constexpr bool is_shared<std::shared_ptr<T>> = true;
template <class T>
concept is_temporary = !std::is_lvalue_reference_v<T> && !is_shared<std::remove_const_t<T>>;
template <class T>
constexpr void refuse_temporary() {
  static_assert(
      !is_temporary<T>,
      "corbel: provide(object) borrows an object, which must live as long as the app, and this one is "
      "gone when the line ends; give it a name first, or share it: provide(std::make_shared<T>(...))");
}
}  // namespace detail

template <class T>
constexpr type_key key_of() noexcept {
  return &detail::key_of_type<T>;
}

/// What an application provides to its handlers, one object for each type. Filled before the start, read by
/// all threads after it.
class services {
 public:
  /// Shared with whoever else holds it. False when there is one of this type already, which then stays.
  template <class T>
  bool provide(std::shared_ptr<T> object) {
    return add(key_of<T>(), detail::name_of_type<T>(), std::move(object));
  }
  /// Borrowed: `object` must outlive every request.
  template <class T>
  bool provide(T& object) {
    return add(key_of<T>(), detail::name_of_type<T>(), std::shared_ptr<T>(std::shared_ptr<void>{}, &object));
  }

  /// Refused at compile time: the object would be gone when this returns.
  template <class T>
  requires detail::is_temporary<T>
  bool provide(T&&) {
    detail::refuse_temporary<T>();
    return false;
  }

  /// Null when none was provided.
  template <class T>
  T* find() const noexcept {
    return static_cast<T*>(find(key_of<T>()));
  }
  void* find(type_key key) const noexcept;

 private:
  bool add(type_key key, std::string_view name, std::shared_ptr<void> object);

  struct entry {
    type_key key;
    std::string_view name;
    std::shared_ptr<void> object;
  };
  std::vector<entry> all_;
};

}  // namespace corbel
