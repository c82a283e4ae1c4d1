#include "corbel/base/text_value.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <vector>

#include "corbel/base/describe/type_of.hpp"

namespace {

enum class mood { calm, wild };
constexpr auto describe(corbel::tag<mood>) {
  using namespace corbel::rules;
  return enumeration(value("calm", mood::calm), value("wild", mood::wild));
}

template <class T>
bool reads(std::string_view text, const T& expected) {
  T out{};
  return !corbel::read_text(corbel::type_of<T>(), text, &out) && out == expected;
}

/// The expectation that the text does not meet, once it is sure that the value is as it was.
template <class T>
std::string refuses(std::string_view text, T value = {}) {
  const T before = value;
  const auto expected = corbel::read_text(corbel::type_of<T>(), text, &value);
  CAPTURE(text);
  REQUIRE(expected);
  CHECK(value == before);
  return *expected;
}

template <class T>
std::string written(const T& value) {
  std::string out = "=";
  corbel::append_text(out, corbel::type_of<T>(), &value);
  return out;
}

}  // namespace

TEST_CASE("texts read into every scalar") {
  CHECK(reads<std::int8_t>("-128", -128));
  CHECK(reads<std::uint8_t>("255", 255));
  CHECK(reads<std::int64_t>("-9223372036854775808", std::numeric_limits<std::int64_t>::min()));
  CHECK(reads<std::uint64_t>("18446744073709551615", std::numeric_limits<std::uint64_t>::max()));
  CHECK(reads<int>("007", 7));
  CHECK(reads<double>("-1.5e3", -1500.0));
  CHECK(reads<float>("0.25", 0.25f));
  CHECK(reads<float>("3.4028235e+38", std::numeric_limits<float>::max()));  // its shortest text is above it
  CHECK(reads<bool>("true", true));
  CHECK(reads<bool>("1", true));
  CHECK(reads<bool>("false", false));
  CHECK(reads<bool>("0", false));
  CHECK(reads<std::string>("", ""));
  CHECK(reads<mood>("wild", mood::wild));
  CHECK(reads<corbel::date>("2026-12-31", *corbel::parse_date("2026-12-31")));
  CHECK(reads<corbel::timestamp>("1970-01-01T00:00:01Z", corbel::timestamp{std::chrono::seconds{1}}));
  CHECK(reads<std::optional<int>>("5", 5));
  CHECK(reads<corbel::uuid>("0190a5b0-6c1e-7cc0-8000-0123456789ab",
                            *corbel::parse_uuid("0190a5b0-6c1e-7cc0-8000-0123456789ab")));
}

TEST_CASE("a text that does not fit changes nothing and tells what was expected") {
  CHECK(refuses<std::int8_t>("128", 5) == "an integer from -128 to 127");
  CHECK(refuses<std::uint8_t>("-1", 5) == "an integer from 0 to 255");
  CHECK(refuses<std::uint16_t>("65536") == "an integer from 0 to 65535");
  for (const char* text :
       {"", " 1", "1 ", "+1", "1.0", "1e2", "0x1", "--1", "99999999999999999999999", "one"})
    CHECK(refuses<int>(text, 3) == "an integer from -2147483648 to 2147483647");
  CHECK(refuses<std::uint64_t>("18446744073709551616") == "an integer from 0 to 18446744073709551615");
  for (const char* text : {"", "inf", "-inf", "nan", "1e400", "1,5", ".5", "-", "+1", "0x1p3", "1.5 "})
    CHECK(refuses<double>(text, 2.5) == "a number");
  for (const char* text : {"1e39", "3.4028236e38", "-3.4028236e38"})
    CHECK(refuses<float>(text) == "a number");
  for (const char* text : {"", "yes", "TRUE", "2"}) CHECK(refuses<bool>(text, true) == "true or false");
  CHECK(refuses<mood>("Calm") == "one of calm, wild");
  CHECK(refuses<corbel::date>("2026-02-30") == "a date such as 2026-12-31");
  CHECK(refuses<std::optional<int>>("x", 4).starts_with("an integer"));
  CHECK(refuses<std::optional<int>>("x").starts_with("an integer"));
}

TEST_CASE("scalars are written as they are read") {
  CHECK(written(std::int8_t{-128}) == "=-128");
  CHECK(written(true) == "=true");
  CHECK(written(0.1f) == "=0.1");
  CHECK(written(1.5) == "=1.5");
  CHECK(written(std::string("a b")) == "=a b");
  CHECK(written(mood::wild) == "=wild");
  CHECK(written(static_cast<mood>(7)) == "=");
  CHECK(written(std::optional<int>{}) == "=");
  CHECK(written(std::optional<int>{3}) == "=3");
  CHECK(written(*corbel::parse_date("2026-12-31")) == "=2026-12-31");
}

TEST_CASE("what travels as one text is a scalar") {
  CHECK(corbel::is_scalar(corbel::type_of<int>()));
  CHECK(corbel::is_scalar(corbel::type_of<std::optional<mood>>()));
  CHECK_FALSE(corbel::is_scalar(corbel::type_of<std::vector<int>>()));
  CHECK_FALSE(corbel::is_scalar(corbel::type_of<std::optional<std::vector<int>>>()));
}
