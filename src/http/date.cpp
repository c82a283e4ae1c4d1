#include "corbel/http/date.hpp"

#include <algorithm>
#include <array>

namespace corbel {
namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 7> day_names = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void put(std::string& out, unsigned value, unsigned from) {
  for (; from > 0; from /= 10) out += static_cast<char>('0' + value / from % 10);
}

/// Reads a text from its front; once something is not there, everything fails.
class date_reader {
 public:
  explicit date_reader(std::string_view text) : rest_(text) {}

  void skip(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) return fail();
    rest_.remove_prefix(expected.size());
  }
  int number(std::size_t digits) {
    if (rest_.size() < digits) return fail(), 0;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return fail(), 0;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  /// Two places, the first of which may be a blank.
  int padded_number() {
    if (rest_.empty() || rest_.front() != ' ') return number(2);
    rest_.remove_prefix(1);
    return number(1);
  }
  unsigned month() {
    for (unsigned i = 0; i < month_names.size(); ++i)
      if (rest_.substr(0, 3) == month_names[i]) {
        rest_.remove_prefix(3);
        return i + 1;
      }
    return fail(), 1;
  }
  /// "08:49:37". A leap second reads as the one after.
  seconds time() {
    const int h = number(2);
    skip(":");
    const int m = number(2);
    skip(":");
    const int s = number(2);
    if (h > 23 || m > 59 || s > 60) fail();
    return hours{h} + minutes{m} + seconds{s};
  }
  std::optional<timestamp> finish(int y, unsigned m, int d, seconds time) const {
    const date day{year{y}, std::chrono::month{m}, std::chrono::day{static_cast<unsigned>(d)}};
    if (failed_ || !rest_.empty() || !day.ok()) return {};
    return timestamp(sys_days{day} + time);
  }

 private:
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  std::string_view rest_;
  bool failed_ = false;
};

int full_year(int two_digits, timestamp now) {
  const int current = static_cast<int>(year_month_day{floor<days>(now)}.year());
  int y = current - current % 100 + two_digits;
  if (y > current + 50) y -= 100;
  if (y <= current - 50) y += 100;
  return y;
}

}  // namespace

void append_http_date(std::string& out, timestamp t) {
  constexpr timestamp first = sys_days{year{0} / 1 / 1};
  constexpr timestamp last = sys_days{year{9999} / 12 / 31} + 23h + 59min + 59s;
  const auto second = floor<seconds>(std::clamp(t, first, last));
  const auto day = floor<days>(second);
  const date d{day};
  const auto of_day = static_cast<unsigned>((second - day).count());
  out.append(day_names[weekday{day}.c_encoding()].substr(0, 3)).append(", ");
  put(out, static_cast<unsigned>(d.day()), 10);
  out.append(" ").append(month_names[static_cast<unsigned>(d.month()) - 1]).append(" ");
  put(out, static_cast<unsigned>(static_cast<int>(d.year())), 1000);
  out += ' ';
  put(out, of_day / 3600, 10);
  out += ':';
  put(out, of_day / 60 % 60, 10);
  out += ':';
  put(out, of_day % 60, 10);
  out += " GMT";
}

std::string http_date(timestamp t) {
  std::string out;
  append_http_date(out, t);
  return out;
}

std::optional<timestamp> parse_http_date(std::string_view text, timestamp now) noexcept {
  for (const auto name : day_names) {
    const bool whole = text.substr(0, name.size()) == name;
    if (!whole && text.substr(0, 3) != name.substr(0, 3)) continue;
    date_reader in(text.substr(whole ? name.size() : 3));
    if (whole) {  // RFC 850
      in.skip(", ");
      const int d = in.number(2);
      in.skip("-");
      const auto m = in.month();
      in.skip("-");
      const int y = full_year(in.number(2), now);
      in.skip(" ");
      const auto time = in.time();
      in.skip(" GMT");
      return in.finish(y, m, d, time);
    }
    if (text.substr(3, 1) == ",") {
      in.skip(", ");
      const int d = in.number(2);
      in.skip(" ");
      const auto m = in.month();
      in.skip(" ");
      const int y = in.number(4);
      in.skip(" ");
      const auto time = in.time();
      in.skip(" GMT");
      return in.finish(y, m, d, time);
    }
    in.skip(" ");  // asctime
    const auto m = in.month();
    in.skip(" ");
    const int d = in.padded_number();
    in.skip(" ");
    const auto time = in.time();
    in.skip(" ");
    const int y = in.number(4);
    return in.finish(y, m, d, time);
  }
  return {};
}

}  // namespace corbel
