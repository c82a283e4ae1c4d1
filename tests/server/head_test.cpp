#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/sanitized.hpp"
#include "effort.hpp"
#include "http/request_access.hpp"
#include "server/http1/head.hpp"

using corbel::error;
using corbel::http1::head_outcome;

namespace {

namespace beast = boost::beast;

using fields = std::vector<std::pair<std::string, std::string>>;

/// Everything that a reader may find in a head.
struct reading {
  head_outcome outcome = head_outcome::incomplete;
  std::size_t size = 0;
  std::string why;
  std::string method, target, path, query;
  int version = 0;
  fields headers;
  std::uint64_t length = 0;
  bool chunked = false, keep_alive = false, expects_continue = false;
  friend bool operator==(const reading&, const reading&) = default;
};

void note(reading& made, const corbel::request& in, const corbel::http1::message_framing& framing,
          const std::optional<error>& why) {
  if (why) made.why = why->code() + ": " + why->message();
  if (made.outcome == head_outcome::incomplete) return;
  made.method = in.method_name();
  made.target = in.target();
  made.path = in.path();
  made.query = in.query();
  made.version = in.version();
  for (const auto& field : in.headers()) made.headers.emplace_back(field.name, field.value);
  if (made.outcome == head_outcome::refused) {
    made.size = 0;
    return;
  }
  made.length = framing.content_length;
  made.chunked = framing.chunked;
  made.keep_alive = framing.keep_alive;
  made.expects_continue = framing.expects_continue;
}

/// As a connection reads: all that has arrived, again and again. Ends at `cuts`, the last of which is the
/// end.
reading read(const std::string& bytes, const std::vector<std::size_t>& cuts,
             const corbel::server_limits& limits = {}) {
  corbel::http1::head_scan state;
  reading made;
  for (const auto cut : cuts) {
    // Memory of exactly that size: a byte read beyond it is the sanitizer's find.
    const std::vector<char> arrived(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
    corbel::request in;
    corbel::http1::message_framing framing;
    std::optional<error> why;
    made = {};
    made.outcome =
        corbel::http1::read_head({arrived.data(), cut}, state, limits, in, framing, made.size, why);
    note(made, in, framing, why);
    if (made.outcome != head_outcome::incomplete) break;
  }
  return made;
}

/// By the two functions that `read_head` spares.
reading read_in_two_steps(const std::string& bytes, const corbel::server_limits& limits = {}) {
  corbel::http1::head_scan state;
  corbel::request in;
  corbel::http1::message_framing framing;
  std::optional<error> why;
  reading made;
  made.outcome = corbel::http1::scan_head(bytes, state, limits, made.size, why);
  if (made.outcome == head_outcome::complete) {
    why = corbel::http1::parse_head(std::string_view(bytes).substr(0, made.size), in, framing);
    if (why) made.outcome = head_outcome::refused;
  }
  note(made, in, framing, why);
  return made;
}

/// Beast's opinion.
class judge final : public beast::http::basic_parser<true> {
 public:
  explicit judge(std::string_view head) {
    header_limit(~std::uint32_t{0});
    body_limit(boost::none);
    while (head.substr(0, 2) == "\r\n") head.remove_prefix(2);
    put(boost::asio::const_buffer(head.data(), head.size()), failed_);
    if (failed_ == beast::http::error::need_more && is_header_done()) failed_ = {};
  }
  /// What it says about framing does not count here: it is too lax in some ways, and we decide it by
  /// ourselves.
  bool refuses_lines() const {
    using beast::http::error;
    return failed_ && failed_ != error::bad_content_length && failed_ != error::multiple_content_length &&
           failed_ != error::bad_transfer_encoding && failed_ != error::bad_chunk;
  }
  bool accepts() const { return !failed_; }

  std::string method, target;
  int version = 0;
  fields headers;

 private:
  using error_code = beast::error_code;
  void on_request_impl(beast::http::verb, beast::string_view m, beast::string_view t, int v,
                       error_code&) override {
    method = std::string(m.data(), m.size());
    target = std::string(t.data(), t.size());
    version = v;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    headers.emplace_back(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_header_impl(error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  error_code failed_;
};

template <class T>
const T& any_of(std::mt19937& random, const std::vector<T>& all) {
  return all[random() % all.size()];
}

/// Heads as clients write them, with a few bytes changed, added, left out or repeated.
std::string random_head(std::mt19937& random) {
  using namespace std::string_view_literals;
  static const std::vector<std::string> methods = {"GET", "POST", "DELETE", "OPTIONS", "PURGE", "M-SEARCH"};
  static const std::vector<std::string> targets = {
      "/",
      "/a/b%20c?d=e&f",
      "*",
      "http://test/x?y",
      "/long/" + std::string(70, 'p') + "?" + std::string(40, 'q'),
      "/??a?b",
      "/x?[a]={b|c}"};
  static const std::vector<std::string> versions = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0",
                                                    "HTTP/2.0"};
  static const std::vector<std::string> lines = {"Content-Length: 12",
                                                 "content-length:0",
                                                 "Transfer-Encoding: chunked",
                                                 "Connection: keep-alive",
                                                 "connection: Close, x",
                                                 "Expect: 100-continue",
                                                 "Accept: */*",
                                                 "X-Empty:",
                                                 "X-Padded: \t some words \t ",
                                                 "Cookie: a=b; c=\"d\"",
                                                 "User-Agent: " + std::string(80, 'u'),
                                                 "HOST: other"};
  static constexpr auto alphabet = "GETPOS /:HhostX-a1?*#%\"\\[]{}|^`<>@,;()\t\r\n\0\x01\x7f\x80\xff"sv;
  std::string text = random() % 16 ? "" : "\r\n\r\n";
  text += any_of(random, methods) + ' ' + any_of(random, targets) + ' ' + any_of(random, versions) + "\r\n";
  if (random() % 8) text += "Host: test\r\n";
  for (auto n = random() % 5; n > 0; --n) text += any_of(random, lines) + "\r\n";
  text += "\r\n";
  for (auto n = random() % 4; n > 1; --n) {
    const auto at = random() % text.size();
    const char c = alphabet[random() % alphabet.size()];
    switch (random() % 4) {
      case 0: text[at] = c; break;
      case 1: text.insert(at, 1, c); break;
      case 2: text.erase(at, 1); break;
      default: text.insert(at, text.substr(at, random() % 12)); break;
    }
  }
  return text;
}

const int rounds = effort(corbel::detail::sanitized ? 15'000 : 100'000);

}  // namespace

TEST_CASE("a head is read as Beast reads it, and never where Beast refuses") {
  std::mt19937 random(1101);
  int both = 0, neither = 0, stricter = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto text = random_head(random);
    CAPTURE(text);
    const auto ours = read(text, {text.size()});
    if (ours.outcome == head_outcome::incomplete) continue;
    const judge beasts(text);
    if (beasts.refuses_lines()) {
      REQUIRE(ours.outcome == head_outcome::refused);
      ++neither;
    } else if (ours.outcome == head_outcome::refused) {
      ++stricter;
    } else {
      // Where Beast objects to the framing, its reading of the lines before still is one.
      REQUIRE(ours.method == beasts.method);
      REQUIRE(ours.version == beasts.version);
      const bool path_of_absolute = corbel::iequals(beasts.target.substr(0, 4), "http") &&
                                    (beasts.target.ends_with(ours.target) || ours.target == "/" ||
                                     ours.target == "*" || beasts.target.ends_with(ours.target.substr(1)));
      REQUIRE((ours.target == beasts.target || path_of_absolute));
      if (beasts.accepts()) {
        if (!path_of_absolute) REQUIRE(ours.headers == beasts.headers);  // its Host is the target's
        ++both;
      }
    }
  }
  CHECK(both > rounds / 5);
  CHECK(neither > rounds / 20);
  CHECK(stricter > rounds / 20);
}

TEST_CASE("a head gives one answer in one pass, in two, and however it is cut") {
  std::mt19937 random(2202);
  corbel::server_limits limits;
  limits.request_line = 130;
  limits.header_bytes = 260;
  limits.header_count = 5;
  for (int round = 0; round < rounds / 5; ++round) {
    const auto text = random_head(random) + (random() % 2 ? "GET / HTTP/1.1\r\n" : "");
    CAPTURE(text);
    const auto whole = read(text, {text.size()}, limits);
    REQUIRE(read_in_two_steps(text, limits) == whole);
    const auto first = 1 + random() % text.size();
    const auto second = first + random() % (text.size() - first + 1);
    REQUIRE(read(text, {first, second, text.size()}, limits) == whole);
    if (round % 20 != 0) continue;
    std::vector<std::size_t> every;
    for (std::size_t i = 1; i <= text.size(); ++i) every.push_back(i);
    REQUIRE(read(text, every, limits) == whole);
  }
}

TEST_CASE("what is found in a head is this") {
  const std::string head =
      "\r\nPOST /a%20b?c=d?e HTTP/1.1\r\nHost: t:80\r\ncontent-LENGTH: 7\r\nX-A:\tb c \t\r\nX-B:\r\n"
      "Connection: x, CLOSE\r\nExpect: 100-Continue\r\n\r\n";
  const auto made = read(head + "1234567", {head.size() + 7});
  CHECK(made.outcome == head_outcome::complete);
  CHECK(made.size == head.size());
  CHECK(made.method == "POST");
  CHECK(made.target == "/a%20b?c=d?e");
  CHECK(made.path == "/a%20b");
  CHECK(made.query == "c=d?e");
  CHECK(made.version == 11);
  CHECK(made.headers == fields{{"Host", "t:80"},
                               {"content-LENGTH", "7"},
                               {"X-A", "b c"},
                               {"X-B", ""},
                               {"Connection", "x, CLOSE"},
                               {"Expect", "100-Continue"}});
  CHECK(made.length == 7);
  CHECK_FALSE(made.keep_alive);
  CHECK(made.expects_continue);
  const std::string ancient = "GET /? HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
  const auto old = read(ancient, {ancient.size()});
  CHECK(old.keep_alive);
  CHECK(old.path == "/");
  CHECK(old.query == "");
}

TEST_CASE("each byte may stand in a path, in a query, in both, or must be escaped") {
  const std::string nowhere = " \"#<>";
  const std::string query_only = "?\\`";
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const auto accepts = [&](std::string before) {
      const auto text = "GET " + before + static_cast<char>(c) + "x HTTP/1.1\r\nHost: t\r\n\r\n";
      return read(text, {text.size()}).outcome == head_outcome::complete;
    };
    const bool visible = c > 0x20 && c < 0x7f && nowhere.find(static_cast<char>(c)) == std::string::npos;
    CHECK(accepts("/p?q=") == visible);
    // A question mark in a path begins the query.
    CHECK(accepts("/p") ==
          (visible && (c == '?' || query_only.find(static_cast<char>(c)) == std::string::npos)));
  }
}

TEST_CASE("a length beyond every limit is a length, not nonsense") {
  const auto length = [](const std::string& text) {
    const auto head = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: " + text + "\r\n\r\n";
    const auto made = read(head, {head.size()});
    return made.outcome == head_outcome::complete ? std::to_string(made.length) : made.why.substr(0, 17);
  };
  CHECK(length("0") == "0");
  CHECK(length("007") == "7");
  CHECK(length("1000000000000000000") == "1000000000000000000");
  CHECK(length("18446744073709551615") == "18446744073709551615");
  CHECK(length("18446744073709551616") == "18446744073709551615");
  CHECK(length(std::string(200, '9')) == "18446744073709551615");
  for (const auto* bad : {"", "1 ,1", "1,1", "+1", "-1", "0x1", "1a", "1.0", "1e3"})
    CHECK(length(bad) == "malformed_framing");
}
