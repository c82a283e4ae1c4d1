#include "corbel/base/interval.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace corbel {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;

void append_part(std::string& out, std::int64_t count, char letter) {
  if (count != 0) out.append(std::to_string(count)) += letter;
}

/// Less than a minute. The sign stands alone, as the whole seconds may be zero.
void append_seconds(std::string& out, std::int64_t microseconds) {
  if (microseconds == 0) return;
  if (microseconds < 0) out += '-';
  const std::int64_t size = microseconds < 0 ? -microseconds : microseconds;
  out += std::to_string(size / second);
  if (size % second != 0) {
    const auto digits = std::to_string(second + size % second);
    out += '.';
    out.append(digits, 1, digits.find_last_not_of('0'));
  }
  out += 'S';
}

struct interval_unit {
  char letter;
  std::int64_t factor;
  int part;  // of months, days, microseconds
};
constexpr std::array<interval_unit, 4> of_dates{{{'Y', 12, 0}, {'M', 1, 0}, {'W', 7, 1}, {'D', 1, 1}}};
constexpr std::array<interval_unit, 3> of_times{{{'H', hour, 2}, {'M', minute, 2}, {'S', second, 2}}};

/// Reads ISO 8601's designators into months, days and microseconds.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  std::optional<interval> run() {
    if (!skip('P') || text_.empty()) return {};
    if (!section(of_dates)) return {};
    if (skip('T') && (text_.empty() || !section(of_times))) return {};
    if (!text_.empty()) return {};
    const auto [months, days, microseconds] = parts_;
    if (!std::in_range<std::int32_t>(months) || !std::in_range<std::int32_t>(days)) return {};
    return interval{static_cast<std::int32_t>(months), static_cast<std::int32_t>(days), microseconds};
  }

 private:
  bool skip(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// Counts with their letters, in the order of `units`, up to 'T' or the end.
  template <std::size_t N>
  bool section(const std::array<interval_unit, N>& units) {
    std::size_t next = 0;
    while (!text_.empty() && text_.front() != 'T') {
      const bool negative = text_.front() == '-';
      std::int64_t count = 0;
      const auto [stop, problem] = std::from_chars(text_.data(), text_.data() + text_.size(), count);
      if (problem != std::errc{}) return false;
      text_.remove_prefix(static_cast<std::size_t>(stop - text_.data()));
      std::int64_t fraction = 0;
      const bool fractional = skip('.');
      if (fractional && !take_fraction(fraction)) return false;
      while (next < N && !text_.starts_with(units[next].letter)) ++next;
      if (next == N || (fractional && units[next].factor != second)) return false;
      if (!add(units[next], count) || !add(units[next], 0, negative ? -fraction : fraction)) return false;
      text_.remove_prefix(1);
      ++next;
    }
    return true;
  }

  /// One to six digits, as microseconds.
  bool take_fraction(std::int64_t& out) {
    std::size_t digits = 0;
    for (std::int64_t weight = second / 10; digits < text_.size(); ++digits, weight /= 10) {
      const char c = text_[digits];
      if (c < '0' || c > '9') break;
      if (weight == 0) return false;
      out += (c - '0') * weight;
    }
    text_.remove_prefix(digits);
    return digits > 0;
  }

  bool add(const interval_unit& to, std::int64_t count, std::int64_t more = 0) {
    std::int64_t& part = parts_[static_cast<std::size_t>(to.part)];
    std::int64_t product = 0;
    return !__builtin_mul_overflow(count, to.factor, &product) &&
           !__builtin_add_overflow(part, product, &part) && !__builtin_add_overflow(part, more, &part);
  }

  std::string_view text_;
  std::array<std::int64_t, 3> parts_{};
};

}  // namespace

std::string to_text(const interval& span) {
  if (span == interval{}) return "PT0S";
  std::string out = "P";
  append_part(out, span.months / 12, 'Y');
  append_part(out, span.months % 12, 'M');
  append_part(out, span.days, 'D');
  if (span.microseconds == 0) return out;
  out += 'T';
  append_part(out, span.microseconds / hour, 'H');
  append_part(out, span.microseconds % hour / minute, 'M');
  append_seconds(out, span.microseconds % minute);
  return out;
}

std::optional<interval> from_text(tag<interval>, std::string_view text) noexcept {
  return reader(text).run();
}

}  // namespace corbel
