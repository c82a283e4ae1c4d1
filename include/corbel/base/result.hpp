#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <corbel/base/error.hpp>

namespace corbel {

/// A value, or the `error` that stands in its place.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(corbel::error e) : state_(std::in_place_index<1>, std::move(e)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws `failure` when there is none, which the error boundary turns into its reply.
  T& value() & {
    require();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    require();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    require();
    return std::move(*std::get_if<0>(&state_));
  }

  /// Undefined without a value, as for `std::optional`.
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// Undefined when there is a value.
  const corbel::error& error() const& noexcept { return *std::get_if<1>(&state_); }
  corbel::error& error() & noexcept { return *std::get_if<1>(&state_); }
  corbel::error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  void require() const {
    if (!has_value()) throw failure(error());
  }
  std::variant<T, corbel::error> state_;
};

/// Success, or the `error` that stands in its place.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(corbel::error e) : error_(std::move(e)) {}

  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  /// Throws `failure` when there is an error.
  void value() const {
    if (error_) throw failure(*error_);
  }
  const corbel::error& error() const& noexcept { return *error_; }
  corbel::error&& error() && noexcept { return std::move(*error_); }

 private:
  std::optional<corbel::error> error_;
};

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

}  // namespace corbel
