#include "corbel/http/range.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

#include "http/bare_request.hpp"

using namespace corbel;
using std::chrono::seconds;

namespace {

constexpr auto max64 = "18446744073709551615";
const validators current{entity_tag::strong("a"), timestamp(seconds(784'111'777)), true};

std::string text_of(const range_choice& c) {
  if (c.what == range_choice::kind::whole) return "whole";
  if (c.what == range_choice::kind::unsatisfiable) return "416";
  std::string out;
  for (const auto& r : c.ranges)
    out += (out.empty() ? "" : " ") + std::to_string(r.first) + '-' + std::to_string(r.last);
  return out;
}
std::string ask(const std::string& range, std::uint64_t size = 10'000,
                std::vector<std::pair<std::string, std::string>> more = {}, const char* method = "GET") {
  more.emplace_back("Range", range);
  return text_of(choose_ranges(bare_request(method, more).in, size, current));
}

}  // namespace

TEST_CASE("the examples of RFC 9110, 14.1.2") {
  CHECK(ask("bytes=0-499") == "0-499");
  CHECK(ask("bytes=500-999") == "500-999");
  CHECK(ask("bytes=-500") == "9500-9999");
  CHECK(ask("bytes=9500-") == "9500-9999");
  CHECK(ask("bytes=0-0,-1") == "0-0 9999-9999");
  CHECK(ask("bytes= 0-999, 4500-5499, -1000") == "0-999 4500-5499 9000-9999");
  CHECK(ask("bytes=500-600,601-999") == "500-999");
  CHECK(ask("bytes=500-700,601-999") == "500-999");
}

TEST_CASE("what lies outside is cut or left out, and nothing inside is 416") {
  CHECK(ask("bytes=0-99999") == "0-9999");
  CHECK(ask("bytes=-99999") == "0-9999");
  CHECK(ask("bytes=10000-") == "416");
  CHECK(ask("bytes=10000-,0-0") == "0-0");
  CHECK(ask("bytes=-0") == "416");
  CHECK(ask("bytes=0-", 0) == "416");
  CHECK(ask("bytes=-5", 0) == "whole");
  CHECK(ask(std::string("bytes=0-") + max64) == "0-9999");
  CHECK(ask(std::string("bytes=0-") + max64 + "0") == "0-9999");
  CHECK(ask(std::string("bytes=") + max64 + "0-" + max64 + "1") == "416");
  CHECK(ask(std::string("bytes=-") + max64 + "000") == "0-9999");
  CHECK(ask("bytes=0-0", ~std::uint64_t{0}) == "0-0");
}

TEST_CASE("what is no range of bytes is ignored") {
  for (const std::string bad :
       {"", "bytes", "bytes=", "bytes=-", "bytes=,", "bytes=a-b", "bytes=5-4", "bytes=1", "bytes=1-2-3",
        "bytes=+1-2", "bytes=0x1-2", "bytes=1 - 2", "bytes 0-1", "lines=0-1", "bytes=0-1,x", "bytes=--1",
        "bytes=0-1;2-3", "bytes=1.0-2"})
    CHECK_MESSAGE(ask(bad) == "whole", bad);
  CHECK(ask("Bytes=0-1") == "0-1");
  CHECK(ask("bytes=0-1", 100, {{"range", "bytes=0-1"}}) == "whole");
  for (const auto* method : {"HEAD", "POST", "PUT", "DELETE"})
    CHECK(ask("bytes=0-1", 100, {}, method) == "whole");
}

TEST_CASE("many ranges are no weapon") {
  std::string spec = "bytes=0-0";
  for (int i = 1; i < 16; ++i) spec += "," + std::to_string(i * 500) + "-" + std::to_string(i * 500);
  CHECK(ask(spec).substr(0, 11) == "0-0 500-500");
  CHECK(ask(spec + ",9999-9999") == "whole");
  CHECK(ask("bytes=0-,0-,0-,0-,0-,0-") == "0-9999");
  CHECK(ask("bytes=900-999,0-9,5-12") == "0-12 900-999");
  CHECK(ask("bytes=0-9,90-99") == "0-99");  // closer together than the head of a part is long
  CHECK(ask("bytes=0-9,91-99") == "0-9 91-99");
}

TEST_CASE("If-Range names the state that the ranges are of") {
  const auto with = [](const std::string& condition, const validators& now_is = current) {
    return text_of(choose_ranges(bare_request("GET", {{"Range", "bytes=0-1"}, {"If-Range", condition}}).in,
                                 100, now_is));
  };
  CHECK(with("\"a\"") == "0-1");
  CHECK(with("\"b\"") == "whole");
  CHECK(with("W/\"a\"") == "whole");
  CHECK(with("\"a\"", {entity_tag::weak("a"), {}}) == "whole");
  CHECK(with("\"a\"", {}) == "whole");
  CHECK(with("\"a\", \"b\"") == "whole");
  CHECK(with("Sun, 06 Nov 1994 08:49:37 GMT") == "0-1");
  CHECK(with("Sun, 06 Nov 1994 08:49:38 GMT") == "whole");
  CHECK(with("Sun, 06 Nov 1994 08:49:36 GMT") == "whole");
  CHECK(with("nonsense") == "whole");
  // A state of this very second may change again within it.
  CHECK(with("Fri, 02 Jan 2026 03:04:05 GMT", {{}, timestamp(seconds(1'767'323'045))}) == "whole");
  CHECK(with("Fri, 02 Jan 2026 03:04:04 GMT", {{}, timestamp(seconds(1'767'323'044))}) == "0-1");
}

TEST_CASE("the fields of the answers") {
  CHECK(content_range({0, 99}, 1000) == "bytes 0-99/1000");
  response out;
  refuse_range(bare_request().in, 1000, out);
  CHECK(out.status() == status::range_not_satisfiable);
  CHECK(out.header("Content-Range") == "bytes */1000");
}

TEST_CASE("random ranges cover what was asked for, in order and apart") {
  std::mt19937 random(20260311);
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t size = 1 + random() % 600;
    std::set<std::uint64_t> wanted;
    std::string spec = "bytes=";
    for (auto n = 1 + random() % 5; n > 0; --n) {
      const auto a = random() % 700, b = a + random() % 50;
      if (random() % 4 == 0) {
        spec += '-' + std::to_string(a);
        for (std::uint64_t at = size - std::min<std::uint64_t>(a, size); at < size; ++at) wanted.insert(at);
      } else {
        spec += std::to_string(a) + '-' + std::to_string(b);
        for (std::uint64_t at = a; at <= b && at < size; ++at) wanted.insert(at);
      }
      if (n > 1) spec += ", ";
    }
    CAPTURE(spec);
    CAPTURE(size);
    const auto choice = choose_ranges(bare_request("GET", {{"Range", spec}}).in, size, current);
    REQUIRE((choice.what == range_choice::kind::unsatisfiable) == wanted.empty());
    std::uint64_t covered = 0, next = 0;
    for (const auto& r : choice.ranges) {
      REQUIRE(r.first >= next);
      REQUIRE(r.last >= r.first);
      REQUIRE(r.last < size);
      REQUIRE(wanted.count(r.first));
      REQUIRE(wanted.count(r.last));
      for (const auto at : wanted) covered += at >= r.first && at <= r.last;
      next = r.last + 82;
    }
    REQUIRE(covered == wanted.size());
  }
}
