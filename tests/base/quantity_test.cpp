#include "corbel/base/quantity.hpp"

#include <doctest/doctest.h>

#include "corbel/base/describe/type_of.hpp"
#include "corbel/base/text_value.hpp"

using namespace std::chrono_literals;
using corbel::byte_size;
using corbel::tag;

TEST_CASE("durations travel in the largest unit that divides them") {
  CHECK(corbel::to_text(250ms) == "250ms");
  CHECK(corbel::to_text(30s) == "30s");
  CHECK(corbel::to_text(30000ms) == "30s");
  CHECK(corbel::to_text(std::chrono::nanoseconds(5min)) == "5m");
  CHECK(corbel::to_text(48h) == "2d");
  CHECK(corbel::to_text(std::chrono::weeks(1)) == "7d");
  CHECK(corbel::to_text(0s) == "0s");
  CHECK(corbel::to_text(-90s) == "-90s");
  CHECK(corbel::to_text(1ns) == "1ns");

  CHECK(from_text(tag<std::chrono::milliseconds>{}, "30s") == 30000ms);
  CHECK(from_text(tag<std::chrono::seconds>{}, "1d") == 86400s);
  CHECK(from_text(tag<std::chrono::hours>{}, "120m") == 2h);
  CHECK(from_text(tag<std::chrono::seconds>{}, "-90s") == -90s);
  CHECK(from_text(tag<std::chrono::seconds>{}, "15min") == 15min);
  CHECK_FALSE(from_text(tag<std::chrono::seconds>{}, "15mins"));
  for (const char* text : {"", "30", "s", "30 s", " 30s", "30s ", "1.5s", "+1s", "30S", "30sec", "250ms",
                           "1h30m", "99999999999999999999s", "9223372036854775807d"}) {
    CAPTURE(text);
    CHECK_FALSE(from_text(tag<std::chrono::seconds>{}, text));
  }
  CHECK_FALSE(from_text(tag<std::chrono::duration<std::uint8_t>>{}, "256s"));
  CHECK_FALSE(from_text(tag<std::chrono::duration<std::uint8_t>>{}, "-1s"));
}

TEST_CASE("sizes have units of two and of ten") {
  CHECK(corbel::to_text(byte_size{1 << 20}) == "1MiB");
  CHECK(corbel::to_text(byte_size{1536}) == "1536B");
  CHECK(corbel::to_text(byte_size{0}) == "0B");
  CHECK(from_text(tag<byte_size>{}, "1MiB") == byte_size{1 << 20});
  CHECK(from_text(tag<byte_size>{}, "5MB") == byte_size{5'000'000});
  CHECK(from_text(tag<byte_size>{}, "18446744073709551615B") == byte_size{18446744073709551615u});
  for (const char* text :
       {"", "1", "MiB", "1 MiB", "1mib", "-1B", "1.5MiB", "18446744073709551616B", "16777216TiB"}) {
    CAPTURE(text);
    CHECK_FALSE(from_text(tag<byte_size>{}, text));
  }
}

TEST_CASE("both are members of described types like any other") {
  std::chrono::milliseconds wait{};
  CHECK_FALSE(corbel::read_text(corbel::type_of<std::chrono::milliseconds>(), "5m", &wait));
  CHECK(wait == 5min);
  CHECK(corbel::read_text(corbel::type_of<std::chrono::milliseconds>(), "15", &wait) ==
        "a duration with its unit such as 15min, 30s or 250ms");
  byte_size room;
  CHECK(corbel::read_text(corbel::type_of<byte_size>(), "15", &room) ==
        "a size with its unit such as 512KiB, 1MiB or 5MB");
  std::string text;
  const byte_size size{64 << 10};
  corbel::append_text(text, corbel::type_of<byte_size>(), &size);
  CHECK(text == "64KiB");
}

TEST_CASE("what a duration is said to be can be read as one") {
  CHECK(from_text(tag<std::chrono::hours>{}, "12h"));
  CHECK(expectation(tag<std::chrono::hours>{}) == "a duration with its unit such as 12h or 7d");
  CHECK(from_text(tag<std::chrono::minutes>{}, "15min"));
  CHECK(expectation(tag<std::chrono::minutes>{}).find("15min, 2h or 1d") != std::string_view::npos);
  CHECK(from_text(tag<std::chrono::seconds>{}, "30s"));
  CHECK(expectation(tag<std::chrono::seconds>{}).find("15min, 30s or 2h") != std::string_view::npos);
}
