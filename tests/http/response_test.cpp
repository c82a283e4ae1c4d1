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

TEST_CASE("standing fields are fields like any others") {
  header_block block;
  block.add("X-A", "block").add("X-B", "block");
  const corbel::standing_headers standing(block);
  response only;
  only.set("X-C", "c").add(standing);
  only.set("X-D", "d");
  CHECK(only.header("x-a") == "block");
  CHECK(only.header_text() == "X-C: c\r\n" + block.text() + "X-D: d\r\n");
  response own;
  own.set("x-a", "mine").add(standing);
  CHECK(own.header_text() == "x-a: mine\r\nX-B: block\r\n");
  response replaced;
  replaced.add(standing).set("X-B", "mine");
  CHECK(replaced.header_text() == "X-A: block\r\nX-B: mine\r\n");
  response removed;
  removed.add(standing).remove("X-A");
  CHECK(removed.header_text() == "X-B: block\r\n");
  response twice;
  twice.add(standing).add(standing).add(block);
  CHECK(twice.header_text() == block.text());
  response copied(twice.add("X-C", "c"));
  CHECK(copied.header_text() == block.text() + "X-C: c\r\n");
  copied.clear();
  CHECK(copied.header_text() == "");
  CHECK_FALSE(copied.header("X-A"));
}

TEST_CASE("standing fields outlive whoever made them") {
  response out;
  {
    header_block block;
    block.add("X-A", std::string(300, 'a'));
    out.add(corbel::standing_headers(block));
  }
  CHECK(out.header("X-A") == std::string(300, 'a'));
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
  corbel::http1::date_line date;
  const auto wire = [&](const response& out, bool keep_alive) {
    corbel::byte_buffer bytes;
    corbel::http1::append_response(bytes, in, out, keep_alive, date.at(std::chrono::steady_clock::now()));
    std::string text(bytes.view());
    const auto at = text.find("Date: ");
    REQUIRE(at != text.npos);
    return text.replace(at, corbel::http1::date_line::size, "Date: D\r\n");
  };
  auto hello = corbel::text_response("hello");
  CHECK(wire(hello, true) ==
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\nContent-Type: text/plain; "
        "charset=utf-8\r\n\r\nhello");
  response standing;
  header_block block;
  block.add("X-A", "1");
  standing.set("X-B", "2").add(corbel::standing_headers(block));
  CHECK(wire(standing, true) ==
        "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nX-B: 2\r\nX-A: 1\r\n\r\n");
  for (const std::size_t size : {1u, 9u, 10u, 99u, 100u, 101u, 12'345u}) {
    const auto text = wire(corbel::text_response(std::string(size, 'x')), true);
    CHECK(text.find("\r\nContent-Length: " + std::to_string(size) + "\r\n") != text.npos);
  }
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

TEST_CASE("the date is a date, and follows the clock") {
  corbel::http1::date_line date;
  const auto now = std::chrono::steady_clock::now();
  const std::string first(date.at(now).text());
  CHECK(first.size() == 37);
  CHECK(first.substr(0, 6) == "Date: ");
  CHECK(first.substr(31) == " GMT\r\n");
  CHECK(date.at(now - std::chrono::hours(1)).text() == first);  // until its second is over
}
