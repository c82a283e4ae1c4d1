#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <corbel/base/describe/describe.hpp>

namespace corbel {

/// A decimal number that loses nothing: what Postgres's `numeric` holds, such as money. It keeps the digits
/// behind the point that it was written with: "12.50" stays "12.50", and equals 12.5.
///
/// Up to 131072 digits before the point and 16383 behind it, as in Postgres. There is no NaN and no infinity:
/// `from_text` refuses them, so a column that holds one is an error and never silently a number. There is no
/// division, which is seldom exact. As JSON it is a string, since readers of JSON numbers round them.
class decimal {
 public:
  static constexpr std::size_t most_whole_digits = 131072;
  static constexpr std::size_t most_scale = 16383;

  /// Zero.
  decimal() = default;
  template <std::integral I>
  requires(!std::same_as<I, bool> && !std::same_as<I, char>) decimal(I whole)
      : decimal(std::cmp_less(whole, 0), std::cmp_less(whole, 0) ? 0 - static_cast<std::uint64_t>(whole)
                                                                 : static_cast<std::uint64_t>(whole)) {}

  bool is_negative() const noexcept { return negative_; }
  bool is_zero() const noexcept { return digits_.empty(); }
  /// Digits behind the point, trailing zeros included.
  std::size_t scale() const noexcept { return scale_; }
  bool is_whole() const noexcept;

  /// Empty when there is a fraction, or the number does not fit. 12.00 is 12.
  std::optional<std::int64_t> to_int64() const noexcept;
  /// The nearest double; empty beyond its range, zero below it.
  std::optional<double> to_double() const;

  decimal operator-() const;
  /// Exact: sums and differences have the larger scale, products the sum of both. They throw `failure`
  /// (internal) when the result has more digits than a decimal holds; a product then costs nothing.
  friend decimal operator+(const decimal& a, const decimal& b) { return sum(a, b, b.negative_); }
  friend decimal operator-(const decimal& a, const decimal& b) { return sum(a, b, !b.negative_); }
  friend decimal operator*(const decimal& a, const decimal& b) { return product(a, b); }
  decimal& operator+=(const decimal& b) { return *this = *this + b; }
  decimal& operator-=(const decimal& b) { return *this = *this - b; }
  decimal& operator*=(const decimal& b) { return *this = *this * b; }

  /// By value: weak, because equal numbers may differ in their text.
  friend std::weak_ordering operator<=>(const decimal& a, const decimal& b) noexcept { return compare(a, b); }
  friend bool operator==(const decimal& a, const decimal& b) noexcept { return compare(a, b) == 0; }

  /// "-12.50": a sign where it is negative, at least one digit before the point, never an exponent.
  friend std::string to_text(const decimal& d) { return d.text(); }

 private:
  friend std::optional<decimal> from_text(tag<decimal>, std::string_view text);
  decimal(bool negative, std::uint64_t magnitude);
  static decimal sum(const decimal& a, const decimal& b, bool b_negative);
  static decimal product(const decimal& a, const decimal& b);
  static std::weak_ordering compare(const decimal& a, const decimal& b) noexcept;
  static decimal made(bool negative, std::string digits, std::size_t scale);
  std::string text() const;

  // The value is digits_ / 10^scale_. Without leading zeros; of zero empty.
  std::string digits_;
  std::uint32_t scale_ = 0;
  bool negative_ = false;
};

/// Reads digits, at most one point with digits on both sides, and a '-' in front. Leading zeros and the sign
/// of zero are dropped. Empty for anything else: blanks, '+', exponents, "NaN", "Infinity", too many digits.
std::optional<decimal> from_text(tag<decimal>, std::string_view text);
constexpr std::string_view expectation(tag<decimal>) {
  return "a decimal number such as 12.50";
}

}  // namespace corbel
