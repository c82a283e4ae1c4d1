#include "corbel/http/cookie.hpp"

#include <doctest/doctest.h>

#include <random>
#include <stdexcept>
#include <string>

#include "effort.hpp"
#include "http/request_access.hpp"

using namespace corbel;
using std::chrono::seconds;

namespace {

std::size_t count_of(const response& out, std::string_view what) {
  std::size_t n = 0;
  for (auto at = out.header_text().find(what); at != std::string::npos;
       at = out.header_text().find(what, at + 1))
    ++n;
  return n;
}

std::optional<std::string> sent_back(const std::string& cookie_header, std::string_view name) {
  request in;
  request_access(in).add_header("Cookie", cookie_header);
  return cookie_value(in, name);
}

}  // namespace

TEST_CASE("a cookie begins safe, and each safety is given up by name") {
  CHECK(new_cookie("theme", "dark").text() == "theme=dark; Path=/; Secure; HttpOnly; SameSite=Lax");
  CHECK(new_cookie("theme", "dark").script_readable().insecure().text() ==
        "theme=dark; Path=/; SameSite=Lax");
  CHECK(new_cookie("a", "b")
            .max_age(seconds(60))
            .expires(timestamp(seconds(784111777)))
            .domain(".Example.org")
            .path("/shop")
            .same_site(same_site::none)
            .partitioned()
            .text() ==
        "a=b; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Domain=Example.org; Path=/shop; Secure; "
        "HttpOnly; "
        "SameSite=None; Partitioned");
  CHECK(new_cookie("a", "b").same_site(same_site::strict).text().find("SameSite=Strict") !=
        std::string::npos);
}

TEST_CASE("what a browser would drop is refused before it is sent") {
  const auto refused = [](const new_cookie& c) {
    CHECK_THROWS_AS(c.text(), std::invalid_argument);
    response out;
    CHECK_THROWS_AS(set_cookie(out, c), std::invalid_argument);
    CHECK(out.header_text().empty());
  };
  for (const auto* name : {"__Host-sid", "__host-sid", "__HOST-sid"}) {
    CHECK_NOTHROW((void)new_cookie(name, "x").text());
    refused(new_cookie(name, "x").insecure());
    refused(new_cookie(name, "x").path("/a"));
    refused(new_cookie(name, "x").domain("example.org"));
  }
  CHECK_NOTHROW((void)new_cookie("__Secure-sid", "x").path("/a").domain("example.org").text());
  refused(new_cookie("__Secure-sid", "x").insecure());
  refused(new_cookie("a", "x").same_site(same_site::none).insecure());
  refused(new_cookie("a", "x").partitioned().insecure());
  refused(new_cookie("a", std::string(4096, 'x')));
  CHECK_NOTHROW((void)new_cookie("a", std::string(4000, 'x')).text());
  for (const std::string name : {"", "a b", "a=b", "a;b", "\"a\"", "a\r\nb", "\xc3\xa4"})
    CHECK_THROWS_AS(new_cookie(name, ""), std::invalid_argument);
  for (const std::string path : {"", "a", "/a;b", "/a\r\n", "/a\x01", "/ "})
    CHECK_THROWS_AS(new_cookie("a", "").path(path), std::invalid_argument);
  for (const std::string host : {"", ".", "a b", "a;b", "a\r\n", "\xc3\xa4.org", "a_b/"})
    CHECK_THROWS_AS(new_cookie("a", "").domain(host), std::invalid_argument);
}

TEST_CASE("every value comes back, whatever bytes it holds") {
  std::mt19937 random(20260304);
  for (int i = 0; i < 3000; ++i) {
    std::string value(random() % 40, '\0');
    for (auto& c : value) c = static_cast<char>(1 + random() % 255);
    const new_cookie cookie("name", value);
    for (const char c : cookie.value())
      REQUIRE((c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'));
    response out;
    set_cookie(out, cookie);
    REQUIRE(sent_back("name=" + cookie.value() + "; b=c", "name") == value);
  }
  CHECK(sent_back("a=100%", "a") == "100%");  // of someone who does not encode
  CHECK(sent_back("a=%4", "a") == "%4");
  CHECK(sent_back("a=%00", "a") == "%00");
  CHECK(sent_back("a=x+y", "a") == "x+y");
  CHECK_FALSE(sent_back("a=b", "c"));
}

TEST_CASE("a response sets one cookie of a name, domain and path") {
  response out;
  set_cookie(out, new_cookie("a", "1"));
  set_cookie(out, new_cookie("b", "1"));
  set_cookie(out, new_cookie("ab", "1"));
  set_cookie(out, new_cookie("a", "1").path("/x"));
  set_cookie(out, new_cookie("a", "1").domain("example.org"));
  CHECK(count_of(out, "Set-Cookie: ") == 5);
  set_cookie(out, new_cookie("a", "2"));
  CHECK(count_of(out, "Set-Cookie: ") == 5);
  CHECK(count_of(out, "a=2") == 1);
  CHECK(count_of(out, "Set-Cookie: a=1;") == 2);
  CHECK(count_of(out, "b=1") == 2);
  delete_cookie(out, "b");
  CHECK(count_of(out, "Set-Cookie: b=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/") == 1);
  CHECK(count_of(out, "Set-Cookie: b=1") == 0);
  delete_cookie(out, new_cookie("a", "").domain("EXAMPLE.org"));
  CHECK(count_of(out, "Set-Cookie: ") == 5);
  CHECK(count_of(out, "Set-Cookie: a=; Max-Age=0") == 1);
}

TEST_CASE("the cookies of a request are read, however they are sent") {
  const auto read = [](const std::string& text) { return sent_back(text, "a").value_or("none"); };
  CHECK(read("a=1; a=2") == "1");  // the first is the one with the longest path
  CHECK(read("b=a=1; a=2") == "2");
  CHECK(read("a") == "none");
  CHECK(read("=1; a=2") == "2");
  CHECK(read(";;;; a=1") == "1");
  CHECK(read("a=\"x y\"") == "x y");
  CHECK(read("a=\"") == "\"");
  CHECK(read("A=1") == "none");
  CHECK(read("$Version=1; a=1; $Path=/") == "1");
  request several;
  request_access(several).add_header("Cookie", "b=1");
  request_access(several).add_header("cookie", "a=2; b=3");
  CHECK(cookie_value(several, "a") == "2");
  CHECK(cookie_value(several, "b") == "1");
  std::mt19937 random(20260305);
  for (int i = 0, rounds = effort(20'000); i < rounds; ++i) {
    std::string text(random() % 30, ' ');
    for (auto& c : text) c = "a=;\" \t,%41b\x80\\"[random() % 14];
    if (const auto found = sent_back(text, "a")) REQUIRE(found->size() <= text.size());
  }
}
