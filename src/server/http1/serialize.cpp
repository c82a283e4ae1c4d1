#include "server/http1/serialize.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <string>

#include "corbel/http/status.hpp"

namespace corbel::http1 {

void output_buffer::clear() noexcept {
  size_ = 0;
  if (capacity_ > usual) {
    data_.reset();
    capacity_ = 0;
  }
}

char* output_buffer::room(std::size_t n) {
  if (capacity_ - size_ < n) {
    const std::size_t wanted = std::max({size_ + n, capacity_ * 2, std::size_t{4096}});
    void* grown = std::realloc(data_.get(), wanted);
    if (!grown) throw std::bad_alloc();
    (void)data_.release();
    data_.reset(static_cast<char*>(grown));
    capacity_ = wanted;
  }
  return data_.get() + size_;
}

void output_buffer::append(std::string_view text) {
  if (text.empty()) return;  // it may point nowhere, which memcpy must not be given
  std::memcpy(room(text.size()), text.data(), text.size());
  commit(text.size());
}

std::string_view date_line::at(std::chrono::steady_clock::time_point now) {
  if (now >= good_until_) {
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
    std::memcpy(text_.data(), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", size);
    std::memcpy(text_.data() + 6, days[weekday{day}.c_encoding()], 3);
    two(text_.data() + 11, static_cast<unsigned>(ymd.day()));
    std::memcpy(text_.data() + 14, months[static_cast<unsigned>(ymd.month()) - 1], 3);
    const auto y = static_cast<unsigned>(static_cast<int>(ymd.year()));
    two(text_.data() + 18, y / 100);
    two(text_.data() + 20, y % 100);
    two(text_.data() + 23, static_cast<unsigned>(time.hours().count()));
    two(text_.data() + 26, static_cast<unsigned>(time.minutes().count()));
    two(text_.data() + 29, static_cast<unsigned>(time.seconds().count()));
  }
  return {text_.data(), size};
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

}  // namespace

void append_response(output_buffer& out, const request& in, const response& reply, bool keep_alive,
                     std::string_view date) {
  const bool bodiless = !has_body(reply.status());
  const auto* streamed = reply.streams();
  const bool sends_body = !bodiless && !streamed && in.method() != method::head;
  const auto& line = status_line(reply.status());
  const auto& fields = reply.header_text();
  const auto& body = reply.body();
  constexpr std::size_t ours = 128;  // the most that the fields written here take, and the blank line

  char* const begin =
      out.room(line.size() + date.size() + fields.size() + ours + (sends_body ? body.size() : 0));
  char* at = put(begin, line);
  at = put(at, date);
  if (!keep_alive)
    at = put(at, "Connection: close\r\n");
  else if (in.version() < 11)
    at = put(at, "Connection: keep-alive\r\n");
  if (!bodiless && streamed && !streamed->length) {
    if (in.version() >= 11) at = put(at, "Transfer-Encoding: chunked\r\n");
  } else if (!bodiless) {
    at = put(at, "Content-Length: ");
    at = std::to_chars(at, at + 20, streamed ? *streamed->length : body.size()).ptr;
    at = put(at, "\r\n");
  }
  at = put(at, fields);
  at = put(at, "\r\n");
  if (sends_body) at = put(at, body);
  out.commit(static_cast<std::size_t>(at - begin));
}

}  // namespace corbel::http1
