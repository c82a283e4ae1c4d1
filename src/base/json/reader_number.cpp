#include <charconv>
#include <cmath>

#include "corbel/base/json/reader.hpp"

namespace corbel::json {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The significant digits of a decimal, without the zeros at either end: value = digits * 10^exponent.
struct significand {
  std::uint64_t digits = 0;
  bool overflow = false;  // more digits than 64 bits hold
  std::int64_t count = 0;
  std::int64_t exponent = 0;

  void take(char c) {
    if (c == '0') {
      if (count > 0) ++zeros_;
      return;
    }
    for (; zeros_ > 0; --zeros_) push(0);
    push(static_cast<unsigned>(c - '0'));
  }
  /// Settles the zeros at the end, which are part of the exponent.
  void close(std::int64_t fraction_digits, std::int64_t written_exponent) {
    exponent = written_exponent - fraction_digits + zeros_;
  }
  /// Multiplies the exponent in; false when the product exceeds 64 bits.
  bool scale() {
    for (std::int64_t i = 0; i < exponent; ++i) {
      if (__builtin_mul_overflow(digits, std::uint64_t{10}, &digits)) return false;
    }
    return true;
  }

 private:
  void push(unsigned digit) {
    ++count;
    if (overflow) return;
    overflow = __builtin_mul_overflow(digits, std::uint64_t{10}, &digits) ||
               __builtin_add_overflow(digits, std::uint64_t{digit}, &digits);
  }
  std::int64_t zeros_ = 0;
};

}  // namespace

bool reader::number(json::number& out) noexcept {
  if (peek() != value_kind::number) return fail(at_, "a number");
  const char* const start = at_;
  out = {};
  out.negative = *at_ == '-';
  if (out.negative) ++at_;
  const char* const digits = at_;
  while (at_ != end_ && is_digit(*at_)) {
    out.magnitude = out.magnitude * 10 + static_cast<std::uint64_t>(*at_ - '0');
    ++at_;
  }
  if (at_ == digits) return fail(at_, "a digit");
  if (*digits == '0' && at_ - digits > 1) return fail(digits + 1, "no digit behind a leading zero");
  const bool dotted = at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E');
  if (dotted || at_ - digits > 19) return fraction(out, start);
  out.integral = true;
  out.plain = true;
  const auto value = static_cast<double>(out.magnitude);
  out.value = out.negative ? -value : value;
  return true;
}

/// The numbers that need more than 19 digits of an integer: those with a dot or an exponent, or longer.
bool reader::fraction(json::number& out, const char* start) noexcept {
  significand exact;
  std::int64_t fraction_digits = 0;
  std::int64_t exponent = 0;
  out.plain = true;
  for (const char* c = start + (out.negative ? 1 : 0); c != at_; ++c) exact.take(*c);
  if (at_ != end_ && *at_ == '.') {
    out.plain = false;
    const char* const digits = ++at_;
    for (; at_ != end_ && is_digit(*at_); ++at_) exact.take(*at_);
    fraction_digits = at_ - digits;
    if (fraction_digits == 0) return fail(at_, "a digit behind the decimal point");
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    out.plain = false;
    ++at_;
    const bool down = at_ != end_ && *at_ == '-';
    if (at_ != end_ && (*at_ == '-' || *at_ == '+')) ++at_;
    const char* const digits = at_;
    // No text is long enough to bring an exponent beyond this back into range.
    constexpr std::int64_t most = 1'000'000'000'000;
    for (; at_ != end_ && is_digit(*at_); ++at_)
      if (exponent < most) exponent = exponent * 10 + (*at_ - '0');
    if (at_ == digits) return fail(at_, "a digit of the exponent");
    if (down) exponent = -exponent;
  }
  exact.close(fraction_digits, exponent);

  if (exact.count == 0) {
    out.integral = true;
    out.magnitude = 0;
    out.value = out.negative ? -0.0 : 0.0;
    return true;
  }
  const auto problem = std::from_chars(start, at_, out.value).ec;
  if (problem == std::errc::result_out_of_range || !std::isfinite(out.value)) {
    if (exact.count + exact.exponent > 0) return fail(start, "a number within the range of a double");
    out.value = out.negative ? -0.0 : 0.0;  // underflow
  }
  out.integral = exact.exponent >= 0;
  if (out.integral) {
    out.huge = exact.overflow || !exact.scale();
    out.magnitude = out.huge ? 0 : exact.digits;
  }
  return true;
}

}  // namespace corbel::json
