#include <doctest/doctest.h>

#include <random>
#include <string>

#include "effort.hpp"
#include "http/request_access.hpp"
#include "server/http1/chunked.hpp"
#include "server/http1/head.hpp"

using corbel::error;
using corbel::http1::chunked_reader;
using corbel::http1::head_outcome;

namespace {

struct scanned {
  head_outcome outcome = head_outcome::incomplete;
  std::size_t size = 0;
  std::string code;
  std::string message;
  friend bool operator==(const scanned&, const scanned&) = default;
};

/// Scans as a connection does: what arrived so far, with the state of the last time.
scanned scan(std::string_view bytes, const std::vector<std::size_t>& cuts,
             const corbel::server_limits& limits) {
  corbel::http1::head_scan state;
  scanned made;
  std::optional<error> why;
  for (const auto cut : cuts) {
    // Memory of exactly that size: a byte read beyond it is the sanitizer's find.
    const std::string arrived(bytes.substr(0, cut));
    made.outcome = corbel::http1::scan_head(arrived, state, limits, made.size, why);
    if (made.outcome != head_outcome::incomplete) break;
  }
  if (why) {
    made.code = why->code();
    made.message = why->message();
  }
  return made;
}

std::vector<std::size_t> every_byte(std::size_t n) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i <= n; ++i) cuts.push_back(i);
  return cuts;
}

corbel::server_limits small_limits() {
  corbel::server_limits limits;
  limits.request_line = 64;
  limits.header_bytes = 120;
  limits.header_count = 5;
  return limits;
}

}  // namespace

TEST_CASE("the end of a head is found wherever the bytes are cut") {
  const std::string head = "\r\nGET /a?b=c HTTP/1.1\r\nHost: test\r\nX-A: 1\r\n\r\n";
  const auto limits = small_limits();
  const auto expected = scan(head + "body\r\n\r\n", {head.size() + 8}, limits);
  CHECK(expected.outcome == head_outcome::complete);
  CHECK(expected.size == head.size());
  for (std::size_t first = 1; first < head.size(); ++first)
    for (std::size_t second = first; second <= head.size(); ++second)
      REQUIRE(scan(head, {first, second, head.size()}, limits) == expected);
}

TEST_CASE("the limits of a head are kept to the byte") {
  const auto limits = small_limits();
  const auto outcome = [&](const std::string& head) {
    const auto whole = scan(head, {head.size()}, limits);
    CHECK(scan(head, every_byte(head.size()), limits) == whole);
    return whole.code;
  };
  const auto line = [](std::size_t n) { return "GET /" + std::string(n - 14, 'a') + " HTTP/1.1\r\n"; };
  CHECK(outcome(line(64) + "\r\n") == "");
  CHECK(outcome(line(65) + "\r\n") == "uri_too_long");
  CHECK(outcome(line(66) + "\r\n") == "uri_too_long");
  CHECK(outcome(line(500) + "\r\n") == "uri_too_long");
  const auto field = [](std::size_t n) { return "X: " + std::string(n - 5, 'b') + "\r\n"; };
  for (const std::size_t before : {20u, 64u}) {
    CHECK(outcome(line(before) + field(120) + "\r\n") == "");
    CHECK(outcome(line(before) + field(121) + "\r\n") == "headers_too_large");
    CHECK(outcome(line(before) + field(60) + field(60) + "\r\n") == "");
    CHECK(outcome(line(before) + field(60) + field(61) + "\r\n") == "headers_too_large");
    CHECK(outcome(line(before) + field(1000) + "\r\n") == "headers_too_large");
  }
  const std::string one = "A: 1\r\n";
  CHECK(outcome(line(20) + one + one + one + one + one + "\r\n") == "");
  CHECK(outcome(line(20) + one + one + one + one + one + one + "\r\n") == "headers_too_large");
}

TEST_CASE("random heads give one answer however they are cut") {
  std::mt19937 random(20261122);
  const auto limits = small_limits();
  const std::vector<std::string> pieces = {"GET / HTTP/1.1",
                                           "\r\n",
                                           "\r\n",
                                           "\r\n",
                                           "\n",
                                           "\r",
                                           "Host: t",
                                           "X: y",
                                           " ",
                                           "\t",
                                           ":",
                                           "\x01",
                                           "\x7f",
                                           std::string(1, '\0'),
                                           std::string(70, 'l'),
                                           std::string(30, 'm'),
                                           std::string(130, 'n'),
                                           "\xff"};
  for (int round = 0, rounds = effort(20'000); round < rounds; ++round) {
    std::string text = random() % 4 ? "GET / HTTP/1.1\r\n" : "";
    for (auto n = random() % 12; n > 0; --n) text += pieces[random() % pieces.size()];
    if (random() % 2) text += "\r\n\r\n";
    if (text.empty()) continue;
    const auto whole = scan(text, {text.size()}, limits);
    REQUIRE(scan(text, every_byte(text.size()), limits) == whole);
    const auto cut = 1 + random() % text.size();
    REQUIRE(scan(text, {cut, text.size()}, limits) == whole);
  }
}

TEST_CASE("random heads that are complete can be read or are refused with an envelope's error") {
  std::mt19937 random(7);
  const corbel::server_limits limits;
  const std::string alphabet = "GETPOS /:HhostX-a1?*#%\"\\[]@,;\t\xff";
  const std::vector<std::string> lines = {"GET / HTTP/1.1", "Host: test", "Content-Length: 3", "X-A: b",
                                          "Transfer-Encoding: chunked"};
  int read = 0;
  for (int round = 0, rounds = effort(50'000); round < rounds; ++round) {
    std::string text;
    for (const auto& line : lines) {
      auto changed = line;
      for (auto n = random() % 5; n > 3; --n)
        changed[random() % changed.size()] = alphabet[random() % alphabet.size()];
      if (random() % 4) text += changed + "\r\n";
    }
    text += "\r\n";
    corbel::http1::head_scan state;
    std::size_t size = 0;
    std::optional<error> why;
    if (corbel::http1::scan_head(text, state, limits, size, why) != head_outcome::complete) continue;
    corbel::request in;
    corbel::http1::message_framing framing;
    why = corbel::http1::parse_head(std::string_view(text).substr(0, size), in, framing);
    if (why) {
      CHECK((why->kind() == corbel::error_kind::malformed ||
             why->kind() == corbel::error_kind::not_implemented ||
             why->kind() == corbel::error_kind::version_not_supported));
      continue;
    }
    ++read;
    std::size_t hosts = 0;
    for (const auto& field : in.headers()) {
      hosts += corbel::iequals(field.name, "host");
      CHECK(corbel::is_token(field.name));
      CHECK(corbel::is_field_value(field.value));
    }
    CHECK(hosts == 1);
    CHECK((in.path().front() == '/' || in.target() == "*"));
  }
  CHECK(read > 1000);
}

TEST_CASE("a chunked body is the same however it is cut") {
  const std::string coded =
      "5;x=y\r\nhello\r\n0001\r\n \r\nB ; z = \"q\"\r\nwide\r\nworld\r\n0\r\nT: a\r\nU: b:c\r\n\r\nNEXT";
  const std::string plain = "hello wide\r\nworld";
  const auto size = coded.size() - 4;
  for (std::size_t first = 0; first <= size; ++first)
    for (std::size_t second = first; second <= size; ++second) {
      chunked_reader reader;
      std::string body;
      std::optional<error> why;
      auto outcome = chunked_reader::outcome::incomplete;
      std::size_t from = 0;
      for (const auto to : {first, second, coded.size()}) {
        std::string piece = coded.substr(from, to - from);
        std::string_view in = piece;
        outcome = reader.feed(in, body, 100, why);
        if (to != coded.size()) {
          from = to - in.size();
          if (outcome == chunked_reader::outcome::complete) break;
          REQUIRE(in.empty());
        } else {
          REQUIRE(in == "NEXT");
        }
        from = to;
      }
      REQUIRE(outcome == chunked_reader::outcome::complete);
      REQUIRE(body == plain);
    }
}

TEST_CASE("a chunked body keeps its limit to the byte") {
  const auto feed = [](std::string text, std::size_t limit) -> std::string {
    chunked_reader reader;
    std::string body;
    std::optional<error> why;
    std::string_view in = text;
    const auto outcome = reader.feed(in, body, limit, why);
    CHECK(body.size() <= limit);
    return why ? why->code() : outcome == chunked_reader::outcome::complete ? "complete" : "incomplete";
  };
  CHECK(feed("5\r\nhello\r\n0\r\n\r\n", 5) == "complete");
  CHECK(feed("6\r\nhello!\r\n0\r\n\r\n", 5) == "payload_too_large");
  CHECK(feed("5\r\nhello\r\n1\r\n", 5) == "payload_too_large");
  CHECK(feed("5\r\nhello\r\n0\r\n", 5) == "incomplete");
  CHECK(feed("0\r\n\r\n", 0) == "complete");
  CHECK(feed("1\r\n", 0) == "payload_too_large");
  CHECK(feed("fffffffffffffff\r\n", ~std::size_t{0}) == "incomplete");  // 15 digits: no overflow
}

TEST_CASE("random chunked bytes never give more than the limit, and one answer however they are cut") {
  std::mt19937 random(99);
  const std::string alphabet = "0123aF\r\n;: x\t\"\x01\xff";
  for (int round = 0, rounds = effort(50'000); round < rounds; ++round) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n) {
      if (random() % 3 == 0)
        text += random() % 2 ? "\r\n" : "3\r\nabc\r\n";
      else
        text += alphabet[random() % alphabet.size()];
    }
    if (random() % 2) text += "0\r\n\r\n";
    const auto read = [&](bool bytewise) {
      chunked_reader reader;
      std::string body;
      std::optional<error> why;
      auto outcome = chunked_reader::outcome::incomplete;
      std::string_view rest = text;
      while (!rest.empty() && outcome == chunked_reader::outcome::incomplete) {
        auto piece = bytewise ? rest.substr(0, 1) : rest;
        const auto had = piece.size();
        outcome = reader.feed(piece, body, 16, why);
        rest.remove_prefix(had - piece.size());
      }
      REQUIRE(body.size() <= 16);
      return std::to_string(static_cast<int>(outcome)) + (why ? why->message() : "") + '|' + body + '|' +
             (outcome == chunked_reader::outcome::complete ? std::string(rest) : "");
    };
    REQUIRE(read(false) == read(true));
  }
}

TEST_CASE("chunks may be small, and their extensions may not be larger than the body for long") {
  const auto feed = [](const std::string& text, std::size_t times) {
    chunked_reader reader;
    std::string body;
    std::optional<error> why;
    for (std::size_t i = 0; i < times; ++i) {
      std::string_view in = text;
      if (reader.feed(in, body, 1 << 20, why) == chunked_reader::outcome::refused) break;
    }
    return why ? why->message() : std::to_string(body.size());
  };
  CHECK(feed("1\r\nx\r\n", 100'000) == "100000");
  CHECK(feed("000000000000001\r\nx\r\n", 100'000) == "100000");
  CHECK(feed("1;a=1\r\nx\r\n", 100'000) == "100000");
  CHECK(feed("64;" + std::string(110, 'e') + "\r\n" + std::string(100, 'x') + "\r\n", 10'000) == "1000000");
  CHECK(feed("1;" + std::string(200, 'e') + "\r\nx\r\n", 80) == "80");
  CHECK(feed("1;" + std::string(200, 'e') + "\r\nx\r\n", 100) ==
        "The chunks' extensions are longer than the body.");
}
