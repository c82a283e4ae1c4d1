#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <variant>

#include <corbel/base/error.hpp>
#include <corbel/base/time.hpp>
#include <corbel/base/uuid.hpp>

namespace corbel {

/// The value of one field of a log line. It only looks at texts and errors: use it within the call it is
/// made for, never store it.
class log_value {
 public:
  /// Milliseconds; a number in JSON.
  using milliseconds = std::chrono::duration<double, std::milli>;
  using state = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string_view,
                             uuid, timestamp, milliseconds, const corbel::error*>;

  log_value(std::nullptr_t = nullptr) noexcept {}
  log_value(std::same_as<bool> auto b) noexcept : state_(b) {}
  log_value(std::signed_integral auto n) noexcept : state_(std::int64_t{n}) {}
  template <std::unsigned_integral N>
  requires(!std::same_as<N, bool>) log_value(N n)
  noexcept : state_(std::uint64_t{n}) {}
  log_value(std::floating_point auto n) noexcept : state_(static_cast<double>(n)) {}
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view> log_value(const Text& text)
  noexcept : state_(std::string_view(text)) {}
  log_value(const char* text) noexcept : state_(std::string_view(text ? text : "")) {}
  log_value(const uuid& id) noexcept : state_(id) {}
  log_value(timestamp t) noexcept : state_(t) {}
  template <class Rep, class Period>
  log_value(std::chrono::duration<Rep, Period> d) noexcept : state_(milliseconds(d)) {}
  /// Its cause too: the log is where internals belong.
  log_value(const corbel::error& e) noexcept : state_(&e) {}
  log_value(const std::exception& e) noexcept : log_value(e.what()) {}
  /// Null when empty.
  template <class T>
  log_value(const std::optional<T>& o) noexcept : log_value(o ? log_value(*o) : log_value(nullptr)) {}

  const state& get() const noexcept { return state_; }

 private:
  state state_ = nullptr;
};

/// One named fact: `{"projectId", id}`. Names are camelCase, as everywhere on the wire.
struct log_field {
  std::string_view name;
  log_value value;
};

using log_fields = std::initializer_list<log_field>;

}  // namespace corbel
