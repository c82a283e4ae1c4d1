#include "data/sql_time.hpp"

#include <chrono>

namespace corbel::data {
namespace {

bool take_char(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

/// Two digits from the front of `text`, at most `most`; -1 when they are not there.
int take_pair(std::string_view& text, int most) {
  if (text.size() < 2) return -1;
  const int tens = text[0] - '0';
  const int ones = text[1] - '0';
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9 || tens * 10 + ones > most) return -1;
  text.remove_prefix(2);
  return tens * 10 + ones;
}

/// Milliseconds from digits behind the point; -1 when there are none.
int take_fraction(std::string_view& text) {
  int milli = 0;
  std::size_t digits = 0;
  for (int weight = 100; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    milli += (text[digits] - '0') * weight;
    weight /= 10;
  }
  text.remove_prefix(digits);
  return digits > 0 ? milli : -1;
}

/// East of UTC. What is behind it in `text` is left there.
std::optional<std::chrono::seconds> take_offset(std::string_view& text) {
  if (text.empty()) return std::chrono::seconds{0};
  const int sign = text.front() == '-' ? -1 : 1;
  if (!take_char(text, '+') && !take_char(text, '-')) return {};
  const int hours = take_pair(text, 23);
  int minutes = 0;
  int seconds = 0;
  if (take_char(text, ':')) {
    minutes = take_pair(text, 59);
    if (take_char(text, ':')) seconds = take_pair(text, 59);
  }
  if (hours < 0 || minutes < 0 || seconds < 0) return {};
  return sign * (std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds});
}

}  // namespace

std::optional<timestamp> parse_sql_timestamp(std::string_view text) noexcept {
  constexpr std::size_t date_length = 10;
  const auto day = parse_date(text.substr(0, date_length));
  if (!day || text.size() <= date_length) return {};
  text.remove_prefix(date_length);
  if (!take_char(text, ' ')) return {};
  const int hours = take_pair(text, 23);
  if (hours < 0 || !take_char(text, ':')) return {};
  const int minutes = take_pair(text, 59);
  if (minutes < 0 || !take_char(text, ':')) return {};
  const int seconds = take_pair(text, 59);
  if (seconds < 0) return {};
  const int milli = take_char(text, '.') ? take_fraction(text) : 0;
  if (milli < 0) return {};
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return {};
  const timestamp read = std::chrono::sys_days{*day} + std::chrono::hours{hours} +
                         std::chrono::minutes{minutes} + std::chrono::seconds{seconds} +
                         std::chrono::milliseconds{milli} - *offset;
  if (read < earliest_timestamp || read > latest_timestamp) return {};
  return read;
}

}  // namespace corbel::data
