#include "corbel/base/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "corbel/base/error.hpp"

namespace corbel {
namespace {

constexpr std::uint64_t limb_base = 1'000'000'000;
constexpr std::size_t limb_digits = 9;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_leading_zeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

[[noreturn]] void too_long() {
  throw failure(
      internal_error("a decimal got more than 131072 digits before the point or 16383 behind it; bound the "
                     "numbers before calculating with them"));
}

/// The digits of a number seen with more zeros behind it: as if the number had a larger scale.
struct shifted {
  std::string_view digits;
  std::size_t zeros;

  std::size_t size() const { return digits.empty() ? 0 : digits.size() + zeros; }
  /// The digit of weight 10^i; 0 beyond the ends.
  int at(std::size_t i) const {
    if (i < zeros || i - zeros >= digits.size()) return 0;
    return digits[digits.size() - 1 - (i - zeros)] - '0';
  }
};

std::strong_ordering compare_magnitude(const shifted& a, const shifted& b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  for (std::size_t i = a.size(); i-- > 0;)
    if (a.at(i) != b.at(i)) return a.at(i) <=> b.at(i);
  return std::strong_ordering::equal;
}

/// a + b, or a - b where a >= b.
std::string combine(const shifted& a, const shifted& b, bool subtract) {
  const std::size_t size = std::max(a.size(), b.size()) + 1;
  std::string out(size, '0');
  int carry = 0;
  for (std::size_t i = 0; i < size; ++i) {
    int digit = subtract ? a.at(i) - b.at(i) - carry : a.at(i) + b.at(i) + carry;
    carry = subtract ? digit < 0 : digit > 9;
    if (carry) digit += subtract ? 10 : -10;
    out[size - 1 - i] = static_cast<char>('0' + digit);
  }
  return out;
}

/// Least significant first.
std::vector<std::uint64_t> limbs_of(std::string_view digits) {
  std::vector<std::uint64_t> limbs;
  limbs.reserve(digits.size() / limb_digits + 1);
  while (!digits.empty()) {
    const auto part = digits.substr(digits.size() - std::min(digits.size(), limb_digits));
    std::from_chars(part.data(), part.data() + part.size(), limbs.emplace_back());
    digits.remove_suffix(part.size());
  }
  return limbs;
}

std::string multiply(std::string_view a, std::string_view b) {
  const auto left = limbs_of(a);
  const auto right = limbs_of(b);
  std::vector<std::uint64_t> limbs(left.size() + right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::uint64_t carry = 0;
    for (std::size_t k = 0; k < right.size(); ++k) {
      const std::uint64_t now = limbs[i + k] + left[i] * right[k] + carry;
      limbs[i + k] = now % limb_base;
      carry = now / limb_base;
    }
    limbs[i + right.size()] = carry;
  }
  std::string out(limbs.size() * limb_digits, '0');
  for (std::size_t i = 0; i < limbs.size(); ++i) {
    std::size_t at = out.size() - i * limb_digits;
    for (std::uint64_t limb = limbs[i]; limb > 0; limb /= 10) out[--at] = static_cast<char>('0' + limb % 10);
  }
  return out;
}

}  // namespace

decimal::decimal(bool negative, std::uint64_t magnitude) : negative_(negative) {
  if (magnitude == 0) return;
  std::array<char, 20> digits;
  digits_.assign(digits.data(), std::to_chars(digits.begin(), digits.end(), magnitude).ptr);
}

decimal decimal::made(bool negative, std::string digits, std::size_t scale) {
  decimal out;
  digits.erase(0, digits.size() - without_leading_zeros(digits).size());
  if (scale > most_scale || digits.size() > most_whole_digits + scale) too_long();
  out.negative_ = negative && !digits.empty();
  out.digits_ = std::move(digits);
  out.scale_ = static_cast<std::uint32_t>(scale);
  return out;
}

bool decimal::is_whole() const noexcept {
  const auto last = digits_.find_last_not_of('0');
  return last == digits_.npos || digits_.size() - 1 - last >= scale_;
}

std::optional<std::int64_t> decimal::to_int64() const noexcept {
  if (is_zero()) return 0;
  if (!is_whole()) return {};
  std::uint64_t magnitude = 0;
  const char* const end = digits_.data() + digits_.size() - scale_;
  const auto [stop, problem] = std::from_chars(digits_.data(), end, magnitude);
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (problem != std::errc{} || stop != end || magnitude > most + (negative_ ? 1 : 0)) return {};
  return static_cast<std::int64_t>(negative_ ? 0 - magnitude : magnitude);
}

std::optional<double> decimal::to_double() const {
  if (is_zero()) return 0.0;
  // from_chars calls both ends of a double's range out of range: the number's size tells them apart.
  const std::string written = text();
  double read = 0;
  const auto [stop, problem] = std::from_chars(written.data(), written.data() + written.size(), read);
  if (problem == std::errc{}) return read;
  if (digits_.size() > scale_) return {};
  return negative_ ? -0.0 : 0.0;
}

decimal decimal::operator-() const {
  decimal out = *this;
  out.negative_ = !negative_ && !is_zero();
  return out;
}

decimal decimal::sum(const decimal& a, const decimal& b, bool b_negative) {
  const std::size_t scale = std::max(a.scale_, b.scale_);
  const shifted left{a.digits_, scale - a.scale_};
  const shifted right{b.digits_, scale - b.scale_};
  if (a.negative_ == b_negative) return made(a.negative_, combine(left, right, false), scale);
  if (compare_magnitude(left, right) >= 0) return made(a.negative_, combine(left, right, true), scale);
  return made(b_negative, combine(right, left, true), scale);
}

decimal decimal::product(const decimal& a, const decimal& b) {
  const std::size_t scale = std::size_t{a.scale_} + b.scale_;
  const std::size_t fewest = a.digits_.size() + b.digits_.size();
  if (scale > most_scale || (!a.is_zero() && !b.is_zero() && fewest - 1 > most_whole_digits + scale))
    too_long();
  return made(a.negative_ != b.negative_, multiply(a.digits_, b.digits_), scale);
}

std::weak_ordering decimal::compare(const decimal& a, const decimal& b) noexcept {
  if (a.negative_ != b.negative_) return a.negative_ ? std::weak_ordering::less : std::weak_ordering::greater;
  const std::size_t scale = std::max(a.scale_, b.scale_);
  const shifted left{a.digits_, scale - a.scale_};
  const shifted right{b.digits_, scale - b.scale_};
  return a.negative_ ? compare_magnitude(right, left) : compare_magnitude(left, right);
}

std::string decimal::text() const {
  std::string out;
  out.reserve(std::max<std::size_t>(digits_.size(), scale_) + 3);
  if (negative_) out += '-';
  const std::size_t whole = digits_.size() > scale_ ? digits_.size() - scale_ : 0;
  if (whole == 0) out += '0';
  out.append(digits_, 0, whole);
  if (scale_ == 0) return out;
  out += '.';
  out.append(scale_ - (digits_.size() - whole), '0');
  return out.append(digits_, whole);
}

std::optional<decimal> from_text(tag<decimal>, std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto fraction = point == text.npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || (point != text.npos && fraction.empty())) return {};
  if (whole.size() > decimal::most_whole_digits || fraction.size() > decimal::most_scale) return {};
  if (!all_digits(whole) || !all_digits(fraction)) return {};
  std::string digits(whole);
  digits += fraction;
  return decimal::made(negative, std::move(digits), fraction.size());
}

}  // namespace corbel
