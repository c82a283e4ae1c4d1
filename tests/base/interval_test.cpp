#include "corbel/base/interval.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/writer.hpp"

using corbel::interval;

namespace {

std::optional<interval> read(std::string_view text) {
  return from_text(corbel::tag<interval>{}, text);
}

constexpr auto most32 = std::numeric_limits<std::int32_t>::max();
constexpr auto least32 = std::numeric_limits<std::int32_t>::min();
constexpr auto most64 = std::numeric_limits<std::int64_t>::max();
constexpr auto least64 = std::numeric_limits<std::int64_t>::min();

}  // namespace

TEST_CASE("intervals are written as Postgres writes them") {
  CHECK(to_text(interval{}) == "PT0S");
  CHECK(to_text(interval{14, 3, 14'706'500'000}) == "P1Y2M3DT4H5M6.5S");
  CHECK(to_text(interval{-14, 3, -14'706'789'000}) == "P-1Y-2M3DT-4H-5M-6.789S");
  CHECK(to_text(interval{0, 1, 0}) == "P1D");
  CHECK(to_text(interval{0, 0, -500'000}) == "PT-0.5S");
  CHECK(to_text(interval{0, 0, 1}) == "PT0.000001S");
  CHECK(to_text(interval{12, 0, 60'000'000}) == "P1YT1M");
  CHECK(to_text(interval{least32, least32, least64}) ==
        "P-178956970Y-8M-2147483648DT-2562047788H-54.775808S");
}

TEST_CASE("intervals are read") {
  CHECK(read("PT0S") == interval{});
  CHECK(read("P1Y2M3DT4H5M6.5S") == interval{14, 3, 14'706'500'000});
  CHECK(read("P-1Y-2M3DT-4H-5M-6.789S") == interval{-14, 3, -14'706'789'000});
  CHECK(read("P2W") == interval{0, 14, 0});
  CHECK(read("P1M1W-1D") == interval{1, 6, 0});
  CHECK(read("PT90M") == interval{0, 0, 5'400'000'000});
  CHECK(read("PT-0.5S") == interval{0, 0, -500'000});
  CHECK(read("PT1.500000S") == interval{0, 0, 1'500'000});
  CHECK(read("P1Y-1M") == interval{11, 0, 0});
}

TEST_CASE("what is no interval, or too long for one, is refused") {
  for (const char* text :
       {"",     "P",         "PT",     "P1",       "P1DT",      "1D",           "p1d",   "P1H",
        "PT1D", "P1D1Y",     "P1D1D",  "PT1S1S",   "P 1D",      "P1D ",         "P+1D",  "P--1D",
        "P-D",  "P1.5D",     "PT1.5H", "PT.5S",    "PT1.S",     "PT1.0000001S", "PT1.5", "PT1,5S",
        "-P1D", "P1DT1ST1S", "PTT1S",  "infinity", "-infinity", "1 day",        "P1S",   "P1e3D"})
    CHECK_FALSE(read(text));
  CHECK(read("P2147483647D") == interval{0, most32, 0});
  CHECK_FALSE(read("P2147483648D"));
  CHECK_FALSE(read("P178956971Y"));
  CHECK_FALSE(read("P306783379W"));
  CHECK_FALSE(read("P9223372036854775807Y"));
  CHECK_FALSE(read("P9223372036854775807W9223372036854775807D"));
  CHECK_FALSE(read("PT2562047789H"));
  CHECK_FALSE(read("PT99999999999999999999S"));
  CHECK(read("PT9223372036854.775807S") == interval{0, 0, most64});
  CHECK(read("PT-9223372036854.775808S") == interval{0, 0, least64});
  CHECK_FALSE(read("PT9223372036854.775808S"));
}

TEST_CASE("random intervals survive their text") {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    const auto part = [&random] { return static_cast<std::int64_t>(random()) >> (random() % 64); };
    const interval made{static_cast<std::int32_t>(part()), static_cast<std::int32_t>(part()), part()};
    CAPTURE(to_text(made));
    REQUIRE(read(to_text(made)) == made);
  }
}

TEST_CASE("mangled intervals are refused or read, never worse") {
  std::mt19937_64 random(12);
  const std::string_view letters = "PTYMWDHS-.0123456789";
  for (int i = 0; i < 50000; ++i) {
    std::string text = "P";
    for (auto n = random() % 14; n > 0; --n) text += letters[random() % letters.size()];
    if (const auto made = read(text)) REQUIRE(read(to_text(*made)) == *made);
  }
}

TEST_CASE("JSON carries an interval as a string") {
  CHECK(corbel::json::to_text(interval{1, 2, 0}) == R"("P1M2D")");
  CHECK(corbel::json::parse<interval>(R"("P1M2D")").value() == interval{1, 2, 0});
  CHECK_FALSE(corbel::json::parse<interval>(R"("1 day")"));
}
