#include "corbel/base/time.hpp"

#include <algorithm>

namespace corbel {
namespace {

using namespace std::chrono;

void put(char* at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

/// Reads exactly `digits` decimal digits from the front of `text`; -1 when they are not there.
int take(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<date> take_date(std::string_view& text) {
  const int y = take(text, 4);
  if (y < 0 || !skip(text, '-')) return {};
  const int m = take(text, 2);
  if (m < 0 || !skip(text, '-')) return {};
  const int d = take(text, 2);
  if (d < 0) return {};
  const date day{year{y}, month{static_cast<unsigned>(m)}, std::chrono::day{static_cast<unsigned>(d)}};
  if (!day.ok()) return {};
  return day;
}

/// Minutes east of UTC, from "Z" or "+hh:mm", which must end the text.
std::optional<int> take_offset(std::string_view& text) {
  if (text == "Z" || text == "z") {
    text = {};
    return 0;
  }
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return {};
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const int hours = take(text, 2);
  if (hours < 0 || hours > 23 || !skip(text, ':')) return {};
  const int minutes = take(text, 2);
  if (minutes < 0 || minutes > 59 || !text.empty()) return {};
  return sign * (hours * 60 + minutes);
}

void put_date(char* at, date d) {
  put(at, static_cast<unsigned>(static_cast<int>(d.year())), 4);
  at[4] = '-';
  put(at + 5, static_cast<unsigned>(d.month()), 2);
  at[7] = '-';
  put(at + 8, static_cast<unsigned>(d.day()), 2);
}

}  // namespace

void append_text(std::string& out, timestamp t) {
  t = std::clamp(t, earliest_timestamp, latest_timestamp);
  const auto days = floor<std::chrono::days>(t);
  const auto of_day = static_cast<unsigned>((t - days).count());
  char text[24];
  put_date(text, date{days});
  text[10] = 'T';
  put(text + 11, of_day / 3'600'000, 2);
  text[13] = ':';
  put(text + 14, of_day / 60'000 % 60, 2);
  text[16] = ':';
  put(text + 17, of_day / 1000 % 60, 2);
  text[19] = '.';
  put(text + 20, of_day % 1000, 3);
  text[23] = 'Z';
  out.append(text, sizeof text);
}

std::string to_text(timestamp t) {
  std::string out;
  append_text(out, t);
  return out;
}

std::optional<timestamp> parse_timestamp(std::string_view text) noexcept {
  const auto day = take_date(text);
  if (!day || text.empty() || (text.front() != 'T' && text.front() != 't')) return {};
  text.remove_prefix(1);
  const int h = take(text, 2);
  if (h < 0 || h > 23 || !skip(text, ':')) return {};
  const int m = take(text, 2);
  if (m < 0 || m > 59 || !skip(text, ':')) return {};
  const int s = take(text, 2);
  if (s < 0 || s > 60) return {};
  int milli = 0;
  if (skip(text, '.')) {
    std::size_t digits = 0;
    for (int weight = 100; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      milli += (text[digits] - '0') * weight;
      weight /= 10;
    }
    if (digits == 0) return {};
    text.remove_prefix(digits);
  }
  const auto offset = take_offset(text);
  if (!offset) return {};
  const timestamp read = sys_days{*day} + hours{h} + minutes{m - *offset} + seconds{s} + milliseconds{milli};
  // ITU-R TF.460 adds a second to the last minute of a month in UTC, which then ends where the next begins.
  const timestamp after_leap = read - milliseconds{milli};
  if (s == 60 && (after_leap != floor<days>(after_leap) ||
                  year_month_day{floor<days>(after_leap)}.day() != std::chrono::day{1}))
    return {};
  if (read < earliest_timestamp || read > latest_timestamp) return {};
  return read;
}

void append_text(std::string& out, date d) {
  constexpr date first{year{1} / 1 / 1};
  constexpr date last{year{9999} / 12 / 31};
  char text[10];
  put_date(text, std::clamp(d, first, last));
  out.append(text, sizeof text);
}

std::string to_text(date d) {
  std::string out;
  append_text(out, d);
  return out;
}

std::optional<date> parse_date(std::string_view text) noexcept {
  auto day = take_date(text);
  if (!text.empty() || (day && day->year() < year{1})) return {};
  return day;
}

}  // namespace corbel
