#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <utility>

namespace corbel {

/// A number as JSON and rules carry it: an integer of 64 bits, signed or unsigned, or a double. It keeps what
/// it was made from, where a double alone would round integers beyond 2^53. Comparison is by value and exact:
/// 9007199254740993 is more than 9007199254740992.0, and 1 equals 1.0. NaN is unordered.
class exact_number {
 public:
  constexpr exact_number() = default;
  template <std::integral I>
  constexpr exact_number(I n)
      : form_(std::in_range<std::int64_t>(n) ? form::whole : form::beyond),
        bits_(static_cast<std::uint64_t>(n)) {}
  template <std::floating_point F>
  constexpr exact_number(F n) : form_(form::floating), floating_(static_cast<double>(n)) {}

  /// Whether it was made from an integer.
  constexpr bool is_integer() const noexcept { return form_ != form::floating; }
  /// The nearest double.
  constexpr double to_double() const noexcept {
    if (form_ == form::floating) return floating_;
    return form_ == form::whole ? static_cast<double>(static_cast<std::int64_t>(bits_))
                                : static_cast<double>(bits_);
  }
  constexpr bool is_negative() const noexcept {
    return form_ == form::floating ? floating_ < 0
                                   : form_ == form::whole && static_cast<std::int64_t>(bits_) < 0;
  }
  /// The distance from zero of one made from an integer.
  constexpr std::uint64_t magnitude() const noexcept { return is_negative() ? 0 - bits_ : bits_; }

  friend std::partial_ordering operator<=>(const exact_number& a, const exact_number& b) noexcept {
    return compare(a, b);
  }
  friend bool operator==(const exact_number& a, const exact_number& b) noexcept { return compare(a, b) == 0; }

 private:
  enum class form : std::uint8_t { whole, beyond, floating };
  static std::partial_ordering compare(const exact_number& a, const exact_number& b) noexcept;
  std::partial_ordering compare_with(double other) const noexcept;

  form form_ = form::whole;
  std::uint64_t bits_ = 0;  // of an integer: two's complement, or above every signed one
  double floating_ = 0;
};

/// How a floating-point number was held before it became a double.
enum class float_width : std::uint8_t { single_precision, double_precision };

/// Whether `number` is a multiple of `of`, which is not 0, as people read both: their shortest decimal forms
/// are compared, so 0.3 and 5000000.01 are multiples of 0.01. Where `of` is no integer, a `number` that
/// misses by at most four units in its last place counts as one too: 0.1 + 0.2 is a multiple of 0.1.
bool is_multiple(const exact_number& number, const exact_number& of,
                 float_width width = float_width::double_precision) noexcept;

}  // namespace corbel
