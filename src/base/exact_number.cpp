#include "corbel/base/exact_number.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace corbel {
namespace {

__extension__ typedef unsigned __int128 wide_number;

/// digits * 10^exponent.
struct decimal_form {
  std::uint64_t digits = 0;
  int exponent = 0;
};

template <class F>
decimal_form shortest_decimal(F number) {
  char text[64];
  const char* const end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  decimal_form out;
  bool behind_point = false;
  const char* at = text;
  for (; at != end && *at != 'e'; ++at) {
    if (*at == '.') {
      behind_point = true;
    } else if (*at >= '0' && *at <= '9') {
      out.digits = out.digits * 10 + static_cast<std::uint64_t>(*at - '0');
      out.exponent -= behind_point;
    }
  }
  if (at == end) return out;
  ++at;
  if (*at == '+') ++at;
  int power = 0;
  std::from_chars(at, end, power);
  out.exponent += power;
  return out;
}

decimal_form decimal_of(const exact_number& number, float_width width) {
  if (number.is_integer()) return {number.magnitude(), 0};
  const double value = std::abs(number.to_double());
  return width == float_width::single_precision ? shortest_decimal(static_cast<float>(value))
                                                : shortest_decimal(value);
}

bool divides(decimal_form of, decimal_form number) {
  if (number.digits == 0) return true;
  if (of.digits == 0) return false;
  int power = number.exponent - of.exponent;
  for (; power < 0; ++power) {
    if (number.digits % 10 != 0) return false;
    number.digits /= 10;
  }
  wide_number rest = number.digits % of.digits;
  for (; power > 0 && rest != 0; --power) rest = rest * 10 % of.digits;
  return rest == 0;
}

double last_place(double value, float_width width) {
  if (width == float_width::double_precision)
    return std::nextafter(value, std::numeric_limits<double>::infinity()) - value;
  const auto narrow = static_cast<float>(value);
  return static_cast<double>(std::nextafter(narrow, std::numeric_limits<float>::infinity())) - narrow;
}

}  // namespace

std::partial_ordering exact_number::compare_with(double other) const noexcept {
  if (form_ == form::floating) return floating_ <=> other;
  constexpr double beyond_signed = 9223372036854775808.0;
  constexpr double beyond_unsigned = 18446744073709551616.0;
  if (std::isnan(other)) return std::partial_ordering::unordered;
  const double floor = std::floor(other);
  std::strong_ordering with_floor = std::strong_ordering::equal;
  if (form_ == form::whole) {
    if (other >= beyond_signed) return std::partial_ordering::less;
    if (other < -beyond_signed) return std::partial_ordering::greater;
    with_floor = static_cast<std::int64_t>(bits_) <=> static_cast<std::int64_t>(floor);
  } else {
    if (other >= beyond_unsigned) return std::partial_ordering::less;
    if (other < beyond_signed) return std::partial_ordering::greater;
    with_floor = bits_ <=> static_cast<std::uint64_t>(floor);
  }
  return with_floor == 0 && floor != other ? std::strong_ordering::less : with_floor;
}

std::partial_ordering exact_number::compare(const exact_number& a, const exact_number& b) noexcept {
  if (b.form_ == form::floating) return a.compare_with(b.floating_);
  if (a.form_ == form::floating) return 0 <=> b.compare_with(a.floating_);
  if (a.form_ != b.form_) return a.form_ <=> b.form_;
  if (a.form_ == form::beyond) return a.bits_ <=> b.bits_;
  return static_cast<std::int64_t>(a.bits_) <=> static_cast<std::int64_t>(b.bits_);
}

bool is_multiple(const exact_number& number, const exact_number& of, float_width width) noexcept {
  const double step = std::abs(of.to_double());
  const double value = std::abs(number.to_double());
  if (!std::isfinite(step) || !std::isfinite(value) || step == 0) return false;
  // The rule was written as a double, whatever the member is.
  if (divides(decimal_of(of, float_width::double_precision), decimal_of(number, width))) return true;
  if (number.is_integer() || step == std::trunc(step)) return false;
  const double times = std::round(value / step);
  const double slack = 4 * last_place(value, width);
  // Where the steps are as fine as the slack, everything would pass; then the decimal forms decide alone.
  return times >= 1 && 2 * slack < step && std::abs(std::fma(-times, step, value)) <= slack;
}

}  // namespace corbel
