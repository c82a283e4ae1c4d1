#include "corbel/http/conditional.hpp"

#include <doctest/doctest.h>

#include <random>
#include <stdexcept>
#include <string>

#include "effort.hpp"
#include "http/bare_request.hpp"

using namespace corbel;
using std::chrono::seconds;

namespace {

const timestamp changed{seconds(784'111'777)};
const char* const same_date = "Sun, 06 Nov 1994 08:49:37 GMT";
const char* const later = "Sun, 06 Nov 1994 08:49:38 GMT";
const char* const earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr auto proceed = precondition::proceed;
constexpr auto not_modified = precondition::not_modified;
constexpr auto failed = precondition::failed;

using fields = std::vector<std::pair<std::string, std::string>>;

precondition ask(const char* method, const fields& all, const validators& current) {
  return evaluate_preconditions(bare_request(method, all).in, current);
}
const validators strong{entity_tag::strong("a"), changed, true};
const validators weak{entity_tag::weak("a"), changed, true};
const validators unknown{{}, {}, true};
const validators absent{{}, {}, false};

}  // namespace

TEST_CASE("entity tags are read exactly") {
  CHECK(entity_tag::parse("\"a\"") == entity_tag::strong("a"));
  CHECK(entity_tag::parse("W/\"a,b\\\"") == entity_tag::weak("a,b\\"));
  CHECK(entity_tag::parse("\"\"") == entity_tag::strong(""));
  CHECK(entity_tag::parse("\"\xc3\xa4\"")->opaque() == "\xc3\xa4");
  for (const std::string bad : {"", "a", "\"", "\"a", "a\"", "w/\"a\"", "W/a", "W\"a\"", "\"a\" ", "\"a b\"",
                                "\"a\"b\"", "\"a\x01\"", "*", "W/", "W/\""})
    CHECK_MESSAGE(!entity_tag::parse(bad), bad);
  CHECK(to_text(entity_tag::weak("x")) == "W/\"x\"");
  CHECK(to_text(entity_tag::of_version(7)) == "\"v7\"");
  CHECK(entity_tag::of_content("a") == entity_tag::of_content("a"));
  CHECK_FALSE(entity_tag::of_content("a") == entity_tag::of_content("b"));
  CHECK(entity_tag::parse(to_text(entity_tag::of_content("a"))) == entity_tag::of_content("a"));
  for (const std::string bad : {"a b", "\"", "\r\n", "\x7f"})
    CHECK_THROWS_AS(entity_tag::strong(bad), std::invalid_argument);
}

// The table of RFC 9110, 8.8.3.2.
TEST_CASE("two ways to compare") {
  const auto s1 = entity_tag::strong("1"), w1 = entity_tag::weak("1"), w2 = entity_tag::weak("2");
  CHECK_FALSE(same_strongly(w1, w1));
  CHECK(same_weakly(w1, w1));
  CHECK_FALSE(same_strongly(w1, w2));
  CHECK_FALSE(same_weakly(w1, w2));
  CHECK_FALSE(same_strongly(w1, s1));
  CHECK(same_weakly(w1, s1));
  CHECK(same_strongly(s1, s1));
  CHECK(same_weakly(s1, s1));
}

TEST_CASE("If-Match and If-None-Match, for methods that read and that write") {
  for (const auto* method : {"GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "PURGE"}) {
    CAPTURE(method);
    const bool reads = method[0] == 'G' || method[0] == 'H';
    const auto found = reads ? not_modified : failed;
    CHECK(ask(method, {}, strong) == proceed);
    CHECK(ask(method, {{"If-Match", "\"a\""}}, strong) == proceed);
    CHECK(ask(method, {{"If-Match", "\"x\" , \"a\""}}, strong) == proceed);
    CHECK(ask(method, {{"If-Match", "\"x\""}, {"if-match", "\"a\""}}, strong) == proceed);
    CHECK(ask(method, {{"If-Match", "\"b\""}}, strong) == failed);
    CHECK(ask(method, {{"If-Match", "W/\"a\""}}, strong) == failed);
    CHECK(ask(method, {{"If-Match", "\"a\""}}, weak) == failed);
    CHECK(ask(method, {{"If-Match", "\"a\""}}, unknown) == failed);
    CHECK(ask(method, {{"If-Match", "*"}}, unknown) == proceed);
    CHECK(ask(method, {{"If-Match", "*"}}, absent) == failed);
    CHECK(ask(method, {{"If-Match", ""}}, strong) == failed);
    CHECK(ask(method, {{"If-Match", "a"}}, strong) == failed);
    CHECK(ask(method, {{"If-None-Match", "\"a\""}}, strong) == found);
    CHECK(ask(method, {{"If-None-Match", "W/\"a\""}}, strong) == found);
    CHECK(ask(method, {{"If-None-Match", "\"a\""}}, weak) == found);
    CHECK(ask(method, {{"If-None-Match", "\"b\", ,W/\"a\""}}, strong) == found);
    CHECK(ask(method, {{"If-None-Match", "\"b\""}}, strong) == proceed);
    CHECK(ask(method, {{"If-None-Match", "\"b,\\\", \"a\""}}, strong) == found);
    CHECK(ask(method, {{"If-None-Match", "\"b, \"a"}}, strong) == proceed);
    CHECK(ask(method, {{"If-None-Match", "*"}}, unknown) == found);
    CHECK(ask(method, {{"If-None-Match", "*"}}, absent) == proceed);
  }
  for (const auto* method : {"OPTIONS", "TRACE", "CONNECT"})
    CHECK(ask(method, {{"If-Match", "\"b\""}, {"If-None-Match", "*"}}, strong) == proceed);
}

TEST_CASE("dates, to the second") {
  for (const auto* method : {"GET", "HEAD"}) {
    CHECK(ask(method, {{"If-Modified-Since", same_date}}, strong) == not_modified);
    CHECK(ask(method, {{"If-Modified-Since", later}}, strong) == not_modified);
    CHECK(ask(method, {{"If-Modified-Since", earlier}}, strong) == proceed);
    CHECK(ask(method, {{"If-Modified-Since", "yesterday"}}, strong) == proceed);
    CHECK(ask(method, {{"If-Modified-Since", same_date}}, unknown) == proceed);
    CHECK(ask(method, {{"If-Modified-Since", same_date}}, {{}, changed + std::chrono::milliseconds(900)}) ==
          not_modified);
  }
  CHECK(ask("PUT", {{"If-Modified-Since", same_date}}, strong) == proceed);
  for (const auto* method : {"GET", "PUT"}) {
    CHECK(ask(method, {{"If-Unmodified-Since", same_date}}, strong) == proceed);
    CHECK(ask(method, {{"If-Unmodified-Since", later}}, strong) == proceed);
    CHECK(ask(method, {{"If-Unmodified-Since", earlier}}, strong) == failed);
    CHECK(ask(method, {{"If-Unmodified-Since", "never"}}, strong) == proceed);
    CHECK(ask(method, {{"If-Unmodified-Since", earlier}}, unknown) == proceed);
  }
}

TEST_CASE("tags go before dates, and what must match before what must not") {
  CHECK(ask("PUT", {{"If-Match", "\"a\""}, {"If-Unmodified-Since", earlier}}, strong) == proceed);
  CHECK(ask("PUT", {{"If-Match", "\"b\""}, {"If-Unmodified-Since", later}}, strong) == failed);
  CHECK(ask("GET", {{"If-None-Match", "\"b\""}, {"If-Modified-Since", same_date}}, strong) == proceed);
  CHECK(ask("GET", {{"If-None-Match", "\"a\""}, {"If-Modified-Since", earlier}}, strong) == not_modified);
  CHECK(ask("GET", {{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, strong) == failed);
  CHECK(ask("GET", {{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, strong) == not_modified);
  CHECK(ask("GET", {{"If-Unmodified-Since", earlier}, {"If-None-Match", "\"a\""}}, strong) == failed);
}

TEST_CASE("a reply becomes a 304 or a 412, and keeps what a 304 must tell") {
  response out;
  out.body("content", "text/plain");
  out.set("Cache-Control", "max-age=60");
  bare_request fresh("GET", {{"If-None-Match", "\"a\""}});
  CHECK(apply_preconditions(fresh.in, strong, out) == not_modified);
  CHECK(out.status() == status::not_modified);
  CHECK(out.body().empty());
  CHECK(out.header("ETag") == "\"a\"");
  CHECK(out.header("Last-Modified") == same_date);
  CHECK(out.header("Cache-Control") == "max-age=60");
  CHECK_FALSE(out.header("Content-Type"));
  bare_request stale("PUT", {{"If-Match", "\"b\""}});
  CHECK(apply_preconditions(stale.in, strong, out) == failed);
  CHECK(out.status() == status::precondition_failed);
  CHECK(out.body().find("\"precondition_failed\"") != std::string::npos);
  response plain;
  plain.body("content", "text/plain");
  CHECK(apply_preconditions(bare_request("GET").in, {{}, timestamp::max()}, plain) == proceed);
  CHECK(plain.body() == "content");
  CHECK(plain.header("Last-Modified") == "Fri, 02 Jan 2026 03:04:05 GMT");  // never one in the future
}

TEST_CASE("random conditions end, and agree with the definition of their lists") {
  std::mt19937 random(20260310);
  const std::string_view pieces[] = {"\"a\"", "W/", "\"b\"", ",", " ", "*", "\"", "a", "\\", "W/\"a\""};
  for (int i = 0, rounds = effort(20'000); i < rounds; ++i) {
    std::string text;
    for (auto n = random() % 8; n > 0; --n) text += pieces[random() % 10];
    const auto weakly = ask("GET", {{"If-None-Match", text}}, strong);
    if (text.find("\"a\"") == std::string::npos && text != "*" &&
        text.find_first_not_of(" *") != std::string::npos)
      REQUIRE(weakly == proceed);
    // What matches strongly matches weakly, too.
    if (ask("GET", {{"If-Match", text}}, strong) == proceed) REQUIRE(weakly == not_modified);
  }
}
