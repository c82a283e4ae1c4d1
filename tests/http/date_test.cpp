#include "corbel/http/date.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>

#include "effort.hpp"

using namespace corbel;
using namespace std::chrono;

namespace {

const timestamp now{seconds(1'767'323'045)};  // 2026-01-02T03:04:05Z
const timestamp then{seconds(784'111'777)};   // 1994-11-06T08:49:37Z

}  // namespace

TEST_CASE("the three forms of RFC 9110, 5.6.7") {
  CHECK(http_date(then) == "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const auto* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    CHECK_MESSAGE(parse_http_date(text, now) == then, text);
  CHECK(parse_http_date("Wed Nov 16 08:49:37 1994", now) == then + days(10));
  CHECK(http_date(then + milliseconds(999)) == http_date(then));
  CHECK(http_date(timestamp(milliseconds(-1))) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(http_date(timestamp::max()) == "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK(http_date(timestamp::min()).substr(12) == "0000 00:00:00 GMT");
}

TEST_CASE("two digits of a year are near") {
  const auto year_of = [](const std::string& two) {
    const auto read = parse_http_date("Sunday, 06-Nov-" + two + " 08:49:37 GMT", now);
    return static_cast<int>(year_month_day{floor<days>(read.value())}.year());
  };
  CHECK(year_of("26") == 2026);
  CHECK(year_of("76") == 2076);
  CHECK(year_of("77") == 1977);
  CHECK(year_of("99") == 1999);
  CHECK(year_of("00") == 2000);
}

TEST_CASE("anything else is no date") {
  const std::string good = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (const std::string bad : {"",
                                "Sun",
                                "Sun,",
                                "sun, 06 Nov 1994 08:49:37 GMT",
                                "Sun, 6 Nov 1994 08:49:37 GMT",
                                "Sun, 06 nov 1994 08:49:37 GMT",
                                "Sun, 06 Nov 94 08:49:37 GMT",
                                "Sun, 06 Nov 1994 08:49:37 UTC",
                                "Sun, 06 Nov 1994 08:49:37 +0000",
                                "Sun, 06 Nov 1994 08:49 GMT",
                                "Sun, 31 Nov 1994 08:49:37 GMT",
                                "Sun, 00 Nov 1994 08:49:37 GMT",
                                "Sun, 29 Feb 1995 08:49:37 GMT",
                                "Sun, 06 Nov 1994 24:00:00 GMT",
                                "Sun, 06 Nov 1994 08:60:37 GMT",
                                "Sun, 06 Nov 1994 08:49:61 GMT",
                                "Sun,  06 Nov 1994 08:49:37 GMT",
                                " Sun, 06 Nov 1994 08:49:37 GMT",
                                "Sun, 06 Nov 1994 08:49:37 GMT ",
                                "Sunday, 06 Nov 1994 08:49:37 GMT",
                                "Sun, 06-Nov-94 08:49:37 GMT",
                                "Sunday, 06-Nov-1994 08:49:37 GMT",
                                "Sun Nov 6 08:49:37 1994",
                                "Sun Nov  6 08:49:37 1994 GMT",
                                "Xyz, 06 Nov 1994 08:49:37 GMT",
                                "784111777",
                                "1994-11-06T08:49:37Z",
                                "Sun, +6 Nov 1994 08:49:37 GMT"})
    CHECK_MESSAGE(!parse_http_date(bad, now), bad);
  std::mt19937 random(20260308);
  for (std::size_t n = 0; n < good.size(); ++n) CHECK_FALSE(parse_http_date(good.substr(0, n), now));
  for (int i = 0, rounds = effort(20'000); i < rounds; ++i) {
    auto text = good;
    text[random() % text.size()] = static_cast<char>(random());
    if (const auto read = parse_http_date(text, now)) REQUIRE(http_date(*read).size() == good.size());
  }
}

TEST_CASE("every second comes back, leap seconds as the one after") {
  std::mt19937_64 random(20260309);
  for (int i = 0, rounds = effort(20'000); i < rounds; ++i) {
    const timestamp t{seconds(static_cast<std::int64_t>(random() % 315'537'897'600) - 62'135'596'800)};
    REQUIRE(parse_http_date(http_date(t), now) == t);
  }
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now) == timestamp(seconds(1'483'228'800)));
}
