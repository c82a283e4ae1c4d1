#include "corbel/base/decimal.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "corbel/base/error.hpp"
#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/writer.hpp"

using corbel::decimal;

namespace {

std::optional<decimal> read(std::string_view text) {
  return from_text(corbel::tag<decimal>{}, text);
}
decimal number(std::string_view text) {
  const auto d = read(text);
  CAPTURE(text);
  REQUIRE(d);
  return *d;
}

}  // namespace

TEST_CASE("a decimal keeps its digits as written") {
  for (const char* text : {"0", "0.00", "1", "-1", "12.50", "-0.05", "1000000000000000000000000.000001",
                           "9223372036854775808", "0.1", "100"})
    CHECK(to_text(number(text)) == text);
  CHECK(to_text(number("007")) == "7");
  CHECK(to_text(number("-0")) == "0");
  CHECK(to_text(number("-0.00")) == "0.00");
  CHECK(to_text(decimal()) == "0");
  CHECK(number("12.50").scale() == 2);
  CHECK(number("-0.5").is_negative());
  CHECK_FALSE(number("-0.0").is_negative());
}

TEST_CASE("what is no finite decimal number is refused") {
  for (const char* text :
       {"",    "-",   "+1",  " 1",  "1 ",       "1.",        ".5",  "-.5", "1..2", "1.2.3",   "--1",
        "1e5", "0x1", "1,5", "NaN", "Infinity", "-Infinity", "inf", "nan", "1-",   "\xd9\xa1"})
    CHECK_FALSE(read(text));
  CHECK_FALSE(read(std::string_view("1\0", 2)));
  CHECK(read(std::string(131072, '9')));
  CHECK_FALSE(read(std::string(131073, '9')));
  CHECK(read("0." + std::string(16383, '9')));
  CHECK_FALSE(read("0." + std::string(16384, '9')));
}

TEST_CASE("decimals compare by value") {
  CHECK(number("12.5") == number("12.50"));
  CHECK(number("0") == number("-0.000"));
  CHECK(number("12.5") != number("12.51"));
  CHECK(number("-2") < number("-1.99"));
  CHECK(number("-1") < 0);
  CHECK(number("0.0001") > 0);
  CHECK(number("99.99") < 100);
  CHECK(number("100") == 100u);
  CHECK(decimal(std::numeric_limits<std::int64_t>::min()) == number("-9223372036854775808"));
  CHECK(decimal(std::numeric_limits<std::uint64_t>::max()) == number("18446744073709551615"));
}

TEST_CASE("a decimal becomes an integer only without loss") {
  CHECK(number("12.00").to_int64() == 12);
  CHECK(number("0.000").to_int64() == 0);
  CHECK(number("-9223372036854775808.0").to_int64() == std::numeric_limits<std::int64_t>::min());
  CHECK(number("9223372036854775807").to_int64() == std::numeric_limits<std::int64_t>::max());
  for (const char* text :
       {"12.5", "9223372036854775808", "-9223372036854775809", "0.1", "-0.01", "100000000000000000000"})
    CHECK_FALSE(number(text).to_int64());
  CHECK_FALSE(number("10.01").is_whole());
  CHECK(number("10.00").is_whole());
}

TEST_CASE("a decimal becomes the nearest double") {
  CHECK(number("0.1").to_double() == 0.1);
  CHECK(number("-12.50").to_double() == -12.5);
  CHECK(number("0.00").to_double() == 0.0);
  CHECK(number("0." + std::string(400, '0') + "1").to_double() == 0.0);
  CHECK_FALSE(number(std::string(400, '9')).to_double());
}

TEST_CASE("sums, differences and products are exact") {
  CHECK(to_text(number("0.1") + number("0.2")) == "0.3");
  CHECK(to_text(number("12.50") + number("-12.5")) == "0.00");
  CHECK(to_text(number("1") - number("0.999")) == "0.001");
  CHECK(to_text(number("-1") - number("2")) == "-3");
  CHECK(to_text(number("99.9") + 1) == "100.9");
  CHECK(to_text(number("0.5") - 1) == "-0.5");
  CHECK(to_text(number("19.99") * 3) == "59.97");
  CHECK(to_text(number("-0.5") * number("0.50")) == "-0.250");
  CHECK(to_text(number("0.0") * number("-7")) == "0.0");
  CHECK(to_text(number("123456789012345678901234567890") * number("-987654321098765432109876543210")) ==
        "-121932631137021795226185032733622923332237463801111263526900");
  CHECK(to_text(-number("0.0")) == "0.0");
  CHECK(to_text(-number("1.0")) == "-1.0");
  auto total = number("1.5");
  total += 2;
  total -= number("0.25");
  total *= 4;
  CHECK(to_text(total) == "13.00");
}

TEST_CASE("arithmetic beyond the bounds fails") {
  const auto large = number(std::string(131072, '9'));
  const auto fine = number("0." + std::string(16383, '1'));
  CHECK_THROWS_AS((void)(large + 1), corbel::failure);
  CHECK_THROWS_AS((void)(large * 10), corbel::failure);
  CHECK_THROWS_AS((void)(large * large), corbel::failure);
  CHECK_THROWS_AS((void)(fine * number("0.1")), corbel::failure);
  CHECK(large - large == 0);
  CHECK(large + fine > large);
  CHECK(to_text(large * 1) == to_text(large));
}

TEST_CASE("random arithmetic agrees with integers") {
  std::mt19937_64 random(7);
  const auto made = [&random](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(-most, most)(random);
  };
  const auto with_point = [](std::int64_t hundredths) {
    auto text = std::to_string(hundredths < 0 ? -hundredths : hundredths);
    if (text.size() < 3) text.insert(0, 3 - text.size(), '0');
    text.insert(text.size() - 2, ".");
    return (hundredths < 0 ? "-" : "") + text;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::int64_t most = i % 3 == 0 ? 20 : 3'000'000'000;
    const std::int64_t a = made(most);
    const std::int64_t b = made(most);
    const auto x = number(with_point(a));
    const auto y = number(with_point(b));
    REQUIRE(x + y == number(with_point(a + b)));
    REQUIRE(to_text(x - y) == with_point(a - b));
    REQUIRE(x * y * 10000 == a * b);
    REQUIRE((x <=> y) == (a <=> b));
    REQUIRE((x == y) == (a == b));
    REQUIRE(to_text(number(to_text(x))) == with_point(a));
  }
}

TEST_CASE("JSON carries a decimal as a string") {
  CHECK(corbel::json::to_text(number("12.50")) == R"("12.50")");
  const auto back = corbel::json::parse<decimal>(R"("12.50")");
  REQUIRE(back);
  CHECK(to_text(*back) == "12.50");
  CHECK_FALSE(corbel::json::parse<decimal>("12.5"));
  CHECK_FALSE(corbel::json::parse<decimal>(R"("NaN")"));
}
