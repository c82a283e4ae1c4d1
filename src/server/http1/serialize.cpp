#include "server/http1/serialize.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "corbel/http/status.hpp"
#include "http/response_access.hpp"

namespace corbel::http1 {

void date_line::write(std::chrono::steady_clock::time_point now) {
  using namespace std::chrono;
  const auto wall = std::chrono::system_clock::now();
  const auto second = floor<seconds>(wall);
  good_until_ = now + (second + 1s - wall);
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<std::chrono::days>(second);
  const year_month_day ymd{day};
  const hh_mm_ss<seconds> time{second - day};
  const auto two = [](char* to, unsigned value) {
    to[0] = static_cast<char>('0' + value / 10);
    to[1] = static_cast<char>('0' + value % 10);
  };
  std::memcpy(text_.data(), ok_line.data(), ok_line.size());
  char* const at = text_.data() + ok_line.size();
  std::memcpy(at, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", size);
  std::memcpy(at + 6, days[weekday{day}.c_encoding()], 3);
  two(at + 11, static_cast<unsigned>(ymd.day()));
  std::memcpy(at + 14, months[static_cast<unsigned>(ymd.month()) - 1], 3);
  const auto y = static_cast<unsigned>(static_cast<int>(ymd.year()));
  two(at + 18, y / 100);
  two(at + 20, y % 100);
  two(at + 23, static_cast<unsigned>(time.hours().count()));
  two(at + 26, static_cast<unsigned>(time.minutes().count()));
  two(at + 29, static_cast<unsigned>(time.seconds().count()));
}

namespace {

constexpr unsigned first_status = 100;
constexpr unsigned last_status = 599;

/// Every status line, written once for the process and never changed.
const std::string& status_line(status s) {
  static const auto lines = [] {
    std::array<std::string, last_status - first_status + 1> all;
    for (unsigned code = first_status; code <= last_status; ++code)
      all[code - first_status] = "HTTP/1.1 " + std::to_string(code) + ' ' +
                                 std::string(reason_phrase(static_cast<status>(code))) + "\r\n";
    return all;
  }();
  const auto code = static_cast<unsigned>(s);
  return lines[(code < first_status || code > last_status ? 500 : code) - first_status];
}

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

/// A literal, whose size the compiler knows.
template <std::size_t N>
char* put(char* at, const char (&text)[N]) {
  std::memcpy(at, text, N - 1);
  return at + N - 1;
}

char* put_length(char* at, std::uint64_t length) {
  at = put(at, "Content-Length: ");
  if (length < 100) {
    if (length >= 10) *at++ = static_cast<char>('0' + length / 10);
    *at++ = static_cast<char>('0' + length % 10);
  } else {
    at = std::to_chars(at, at + 20, length).ptr;
  }
  return put(at, "\r\n");
}

}  // namespace

void append_response(byte_buffer& out, const request& in, const response& reply, bool keep_alive,
                     const date_line& date) {
  const auto code = reply.status();
  const bool bodiless = !has_body(code);
  const auto* streamed = reply.streams();
  const bool sends_body = !bodiless && !streamed && in.method() != method::head;
  const auto [fields, standing] = response_access::fields(reply);
  const std::string_view body = reply.body();
  constexpr std::size_t ours = 256;  // the most that is written here beside them

  char* const begin = out.room(fields.size() + standing.size() + ours + (sends_body ? body.size() : 0));
  char* at = begin;
  if (code == status::ok) [[likely]] {
    const auto opening = date.behind_ok();
    std::memcpy(at, opening.data(), opening.size());
    at += opening.size();
  } else {
    at = put(at, status_line(code));
    at = put(at, date.text());
  }
  if (!keep_alive)
    at = put(at, "Connection: close\r\n");
  else if (in.version() < 11)
    at = put(at, "Connection: keep-alive\r\n");
  if (!bodiless && streamed && !streamed->length) {
    if (in.version() >= 11) at = put(at, "Transfer-Encoding: chunked\r\n");
  } else if (!bodiless) {
    at = put_length(at, streamed ? *streamed->length : body.size());
  }
  if (!fields.empty()) at = put(at, fields);
  if (!standing.empty()) at = put(at, standing);
  at = put(at, "\r\n");
  if (sends_body) at = put(at, body);
  out.commit(static_cast<std::size_t>(at - begin));
}

}  // namespace corbel::http1
