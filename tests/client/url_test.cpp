#include <doctest/doctest.h>

#include <random>

#include "corbel/client/url.hpp"

using corbel::url;

namespace {

std::string read(std::string_view text) {
  const auto made = url::parse(text);
  return made ? made->text() : "refused";
}

}  // namespace

TEST_CASE("a URL is read into its parts") {
  const auto u = url::parse("HTTPS://API.Example.com:8443/v1/a%20b?x=1&y=/?#top");
  REQUIRE(u);
  CHECK(u->https());
  CHECK(u->host() == "api.example.com");
  CHECK(u->port() == 8443);
  CHECK(u->target() == "/v1/a%20b?x=1&y=/?");
  CHECK(u->authority() == "api.example.com:8443");
  CHECK(u->origin() == "https://api.example.com:8443");
  CHECK_FALSE(u->host_is_address());
  CHECK(read("http://a") == "http://a/");
  CHECK(read("http://a:80/") == "http://a/");
  CHECK(read("https://a:443") == "https://a/");
  CHECK(read("https://a:80") == "https://a:80/");
  CHECK(read("http://a?q") == "http://a/?q");
  CHECK(read("http://a:/") == "http://a/");
  CHECK(read("http://[2001:DB8:0::1]:81/") == "http://[2001:db8::1]:81/");
  CHECK(read("http://my_service.cluster.local/") == "http://my_service.cluster.local/");
  CHECK(read("http://xn--bcher-kva.example/") == "http://xn--bcher-kva.example/");
}

TEST_CASE("what has two readings, or none, is refused") {
  for (const std::string_view each : {"",
                                      "/",
                                      "a",
                                      "//a/",
                                      "http:",
                                      "http:/a",
                                      "http://",
                                      "http:///a",
                                      "http://?a",
                                      "ftp://a/",
                                      "javascript:1",
                                      "file:///etc/passwd",
                                      " http://a/",
                                      "http://a/ ",
                                      "http://a b/",
                                      "http://a/b c",
                                      "http://a/\"",
                                      "http://a\\b/",
                                      "http://a/\\b",
                                      "http://a/b|c",
                                      "http://a/<b>",
                                      "http://a/%",
                                      "http://a/%1",
                                      "http://a/%gg",
                                      "http://a/?%",
                                      "http://a/#%",
                                      "http://a/# ",
                                      "http://user@a/",
                                      "http://user:pw@a/",
                                      "http://@a/",
                                      "http://a@b@c/",
                                      "http://a:0/",
                                      "http://a:65536/",
                                      "http://a:99999999999/",
                                      "http://a:8x/",
                                      "http://a:-1/",
                                      "http://a:1:2/",
                                      "http://a..b/",
                                      "http://.a/",
                                      "http://a./",
                                      "http://-a/",
                                      "http://a-/",
                                      "http://a%2eb/",
                                      "http://b\xc3\xbc/",
                                      "http://a/\xc3\xbc",
                                      "http://a!b/",
                                      "http://[::1/",
                                      "http://[::1]a/",
                                      "http://[fe80::1%25eth0]/",
                                      "http://[fe80::1%eth0]/",
                                      "http://[v1.a]/",
                                      "http://[127.0.0.1]/",
                                      "http://[]/",
                                      "http://::1/",
                                      "http://a/\r\nX: y",
                                      "http://a\r\n/",
                                      "http://a/\t",
                                      "http://a/\x7f"})
    CHECK_MESSAGE(read(each) == "refused", std::string(each));
  CHECK(read(std::string("http://a/\0b", 11)) == "refused");
  CHECK(read("http://" + std::string(64, 'a') + "/") == "refused");
  CHECK(read("http://a/" + std::string(8192, 'a')) == "refused");
}

TEST_CASE("an IPv4 address has one form") {
  CHECK(read("http://127.0.0.1/") == "http://127.0.0.1/");
  CHECK(url::parse("http://127.0.0.1/")->host_is_address());
  for (const std::string_view each :
       {"127.1",        "127.0.1",    "0x7f.0.0.1", "0x7f.1",     "0x7f000001",  "2130706433",
        "017700000001", "0177.0.0.1", "127.0.0.01", "127.0.0.1.", "127.0.0.256", "1.2.3.4.5",
        "127.0.0.0x1",  "0",          "1",          "0x",         "a.1",         "a.0x1",
        "127.0.0.1000", "1..2.3"})
    CHECK_MESSAGE(read("http://" + std::string(each) + "/") == "refused", std::string(each));
  // Names that only look a little like numbers.
  CHECK(read("http://1a/") == "http://1a/");
  CHECK(read("http://1.2.3.4a/") == "http://1.2.3.4a/");
  CHECK(read("http://0xg/") == "http://0xg/");
}

TEST_CASE("a reference is resolved as RFC 3986, 5.4 shows") {
  const auto base = url::parse("http://a/b/c/d;p?q");
  REQUIRE(base);
  const auto to = [&](std::string_view reference) {
    const auto made = base->resolve(reference);
    return made ? made->text() : "refused";
  };
  CHECK(to("g") == "http://a/b/c/g");
  CHECK(to("./g") == "http://a/b/c/g");
  CHECK(to("g/") == "http://a/b/c/g/");
  CHECK(to("/g") == "http://a/g");
  CHECK(to("//g") == "http://g/");
  CHECK(to("?y") == "http://a/b/c/d;p?y");
  CHECK(to("g?y") == "http://a/b/c/g?y");
  CHECK(to("#s") == "http://a/b/c/d;p?q");
  CHECK(to("") == "http://a/b/c/d;p?q");
  CHECK(to(";x") == "http://a/b/c/;x");
  CHECK(to(".") == "http://a/b/c/");
  CHECK(to("..") == "http://a/b/");
  CHECK(to("../g") == "http://a/b/g");
  CHECK(to("../..") == "http://a/");
  CHECK(to("../../../g") == "http://a/g");
  CHECK(to("/./g") == "http://a/g");
  CHECK(to("g.") == "http://a/b/c/g.");
  CHECK(to("..g") == "http://a/b/c/..g");
  CHECK(to("./../g") == "http://a/b/g");
  CHECK(to("g;x=1/../y") == "http://a/b/c/y");
  CHECK(to("g?y/../x") == "http://a/b/c/g?y/../x");
  CHECK(to("https://h:8443/x") == "https://h:8443/x");
  CHECK(to("g:h") == "refused");
  CHECK(to("//user@g/") == "refused");
  CHECK(to("/a b\xc3\xbc?\"|[]") == "http://a/a%20b%C3%BC?%22%7C%5B%5D");
  CHECK(to("http://h/a b") == "http://h/a%20b");
  CHECK(to("/\\evil.example/") == "http://a/%5Cevil.example/");
  CHECK(to("\\\\evil.example/") == "http://a/b/c/%5C%5Cevil.example/");
  CHECK(to("/a\r\nb") == "refused");
  CHECK(to("/%") == "refused");
  const auto bare = url::parse("https://a?q");
  CHECK(bare->resolve("g")->text() == "https://a/g");
  CHECK(bare->resolve("//b/x")->text() == "https://b/x");
}

TEST_CASE("random texts are refused or read to a fixed point") {
  std::mt19937 random(20260301);
  INFO("seed 20260301");
  using namespace std::string_view_literals;
  constexpr auto alphabet = "aZ09.:/?#[]@%-_\\ \r\n\0x\xffhtp"sv;
  const auto base = url::parse("http://base.example/a/b?c");
  for (int i = 0; i < 20000; ++i) {
    std::string text = i % 2 ? "http://" : "";
    for (auto n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
    for (const auto& made : {url::parse(text), base->resolve(text)}) {
      if (!made) continue;
      REQUIRE(made->text().find_first_of(" \r\n\0\\\xff"sv) == std::string::npos);
      REQUIRE(made->authority().find('@') == std::string::npos);
      const auto again = url::parse(made->text());
      REQUIRE_MESSAGE(again, text);
      REQUIRE(*again == *made);
    }
  }
}
