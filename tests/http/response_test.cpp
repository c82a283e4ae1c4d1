#include "corbel/http/response.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/request_access.hpp"
#include "server/http1/serialize.hpp"

using corbel::header_block;
using corbel::response;

TEST_CASE("fields are set, added, replaced and removed by name without case") {
  response out;
  out.set("X-A", "1").add("X-B", "2").add("x-b", "3").set("x-a", "4");
  CHECK(out.header_text() == "X-B: 2\r\nx-b: 3\r\nx-a: 4\r\n");
  CHECK(out.header("X-b") == "2");
  CHECK(out.header("X-A") == "4");
  CHECK_FALSE(out.header("X"));
  CHECK_FALSE(out.header("X-AA"));
  out.remove("X-B");
  CHECK(out.header_text() == "x-a: 4\r\n");
  out.remove("missing").set("Empty", "");
  CHECK(out.header("Empty") == "");
  out.set("X-A-Long", "x-a: no field");
  out.remove("X-A");
  CHECK(out.header_text() == "Empty: \r\nX-A-Long: x-a: no field\r\n");
}

TEST_CASE("a field may be made of another one's value") {
  response out;
  const std::string value(300, 'v');
  out.set("A", value);
  for (int i = 0; i < 20; ++i) out.add("B" + std::to_string(i), *out.header("A"));
  for (int i = 0; i < 20; ++i) CHECK(out.header("B" + std::to_string(i)) == value);
  out.set("A", out.header("A")->substr(100));
  CHECK(out.header("A") == value.substr(100));
  out.set("B0", *out.header("B19"));
  CHECK(out.header("B0") == value);
}

TEST_CASE("a block adds what is not there already") {
  header_block block;
  block.add("X-A", "block").add("Set-Cookie", "a=1").add("Set-Cookie", "b=2").add("X-B", "block");
  CHECK(block.holds("x-b"));
  CHECK_FALSE(block.holds("X"));
  response fresh;
  fresh.add(block);
  CHECK(fresh.header_text() == block.text());
  response own;
  own.set("x-a", "mine").add(block);
  CHECK(own.header_text() == "x-a: mine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-B: block\r\n");
  response other;
  other.set("X-C", "c").add(block);
  CHECK(other.header_text() == "X-C: c\r\n" + block.text());
  response cookies;
  cookies.add("Set-Cookie", "mine=1").add(block);
  CHECK(cookies.header_text() == "Set-Cookie: mine=1\r\nX-A: block\r\nX-B: block\r\n");
}

TEST_CASE("what the server writes is not the handler's to set") {
  response out;
  header_block block;
  for (const auto* name : {"Content-Length", "content-length", "Transfer-Encoding", "Connection", "Date",
                           "Keep-Alive", "Trailer"}) {
    CHECK_THROWS_AS(out.set(name, "1"), std::invalid_argument);
    CHECK_THROWS_AS(out.add(name, "1"), std::invalid_argument);
    CHECK_THROWS_AS(block.add(name, "1"), std::invalid_argument);
  }
  CHECK(out.header_text().empty());
  CHECK(block.text().empty());
}

TEST_CASE("fields are found whatever their names have in common") {
  // Names of one bit, of one length, one within another: each is a field of its own.
  response out;
  std::vector<std::string> names;
  std::mt19937 random(12);
  for (int i = 0; i < 300; ++i) {
    std::string name(1 + random() % 4, 'a');
    for (auto& c : name) c = "abXY-"[random() % 5];
    const auto value = std::to_string(i);
    out.set(name, value);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    REQUIRE(out.header(name) == value);
    if (i % 3 == 0) {
      out.remove(name);
      REQUIRE_FALSE(out.header(name));
    } else {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) out.remove(name);
  CHECK(out.header_text() == "");
  CHECK_FALSE(out.header(""));
  out.remove("");
}

TEST_CASE("a response on the wire is exactly this") {
  corbel::request in;
  corbel::request_access(in).start_line("GET", "/", 11);
  const auto wire = [&](const response& out, bool keep_alive) {
    corbel::http1::output_buffer bytes;
    corbel::http1::append_response(bytes, in, out, keep_alive, "Date: D\r\n");
    return std::string(bytes.view());
  };
  auto hello = corbel::text_response("hello");
  CHECK(wire(hello, true) ==
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\nContent-Type: text/plain; "
        "charset=utf-8\r\n\r\nhello");
  CHECK(wire(response(corbel::status::created), false) ==
        "HTTP/1.1 201 Created\r\nDate: D\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  hello.status(corbel::status::no_content);
  CHECK(wire(hello, true) ==
        "HTTP/1.1 204 No Content\r\nDate: D\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
  CHECK(wire(response(static_cast<corbel::status>(299)), true) ==
        "HTTP/1.1 299 \r\nDate: D\r\nContent-Length: 0\r\n\r\n");
  CHECK(wire(response(static_cast<corbel::status>(7)), true).substr(0, 12) == "HTTP/1.1 500");
  CHECK(wire(response(static_cast<corbel::status>(999)), true).substr(0, 12) == "HTTP/1.1 500");
}

TEST_CASE("the output buffer keeps what it was given while it grows, and forgets what was too much") {
  corbel::http1::output_buffer out;
  std::string expected;
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const std::string piece(random() % 5000, static_cast<char>('a' + i % 26));
    out.append(piece);
    expected += piece;
  }
  CHECK(out.view() == expected);
  out.clear();
  CHECK(out.empty());
  out.append("");
  CHECK(out.view() == "");
  out.append("again");
  CHECK(out.view() == "again");
}

TEST_CASE("the date is a date, and follows the clock") {
  corbel::http1::date_line date;
  const auto now = std::chrono::steady_clock::now();
  const std::string first(date.at(now));
  CHECK(first.size() == 37);
  CHECK(first.substr(0, 6) == "Date: ");
  CHECK(first.substr(31) == " GMT\r\n");
  CHECK(date.at(now - std::chrono::hours(1)) == first);  // until its second is over
}
