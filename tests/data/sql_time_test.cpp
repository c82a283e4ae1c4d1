#include "data/sql_time.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>

using corbel::data::parse_sql_timestamp;

namespace {

std::string read(std::string_view text) {
  const auto t = parse_sql_timestamp(text);
  return t ? corbel::to_text(*t) : "";
}

}  // namespace

TEST_CASE("timestamps are read as Postgres writes them") {
  CHECK(read("2026-01-02 03:04:05.678901+00") == "2026-01-02T03:04:05.678Z");
  CHECK(read("2026-01-02 03:04:05+00") == "2026-01-02T03:04:05.000Z");
  CHECK(read("2026-01-02 03:04:05") == "2026-01-02T03:04:05.000Z");
  CHECK(read("2026-01-02 03:04:05.5") == "2026-01-02T03:04:05.500Z");
  CHECK(read("2026-01-02 03:04:05.000999") == "2026-01-02T03:04:05.000Z");
  CHECK(read("2026-01-02 03:04:05+05:30") == "2026-01-01T21:34:05.000Z");
  CHECK(read("2026-01-02 03:04:05.25-05") == "2026-01-02T08:04:05.250Z");
  CHECK(read("1890-01-01 00:00:00+00:19:32") == "1889-12-31T23:40:28.000Z");
  CHECK(read("0001-01-01 00:00:00+00") == "0001-01-01T00:00:00.000Z");
  CHECK(read("0001-01-01 05:00:00+05") == "0001-01-01T00:00:00.000Z");
  CHECK(read("9999-12-31 23:59:59.999999+00") == "9999-12-31T23:59:59.999Z");
  CHECK(read("9999-12-31 18:59:59-05") == "9999-12-31T23:59:59.000Z");
  CHECK(read("1969-12-31 23:59:59.9+00") == "1969-12-31T23:59:59.900Z");
}

TEST_CASE("what is no such timestamp is refused") {
  for (const char* text : {"",
                           "infinity",
                           "-infinity",
                           "2026-01-02",
                           "2026-01-02 ",
                           "2026-01-02T03:04:05Z",
                           "2026-01-02 03:04",
                           "2026-01-02 24:00:00",
                           "2026-01-02 03:60:05",
                           "2026-01-02 03:04:60",
                           "2026-02-30 03:04:05",
                           "2026-01-02 03:04:05.",
                           "2026-01-02 03:04:05+",
                           "2026-01-02 03:04:05+5",
                           "2026-01-02 03:04:05+05:",
                           "2026-01-02 03:04:05+05:6",
                           "2026-01-02 03:04:05+24",
                           "2026-01-02 03:04:05+05:30:",
                           "2026-01-02 03:04:05Z",
                           "2026-01-02 03:04:05 BC",
                           "2026-01-02 03:04:05+00 BC",
                           "0044-03-15 12:00:00+00 BC",
                           "10000-01-01 00:00:00+00",
                           "294276-12-31 23:59:59+00",
                           "9999-12-31 23:59:59-05",
                           "9999-12-31 23:59:59.999-00:00:01",
                           "0001-01-01 00:00:00+00:01",
                           "0000-01-01 00:00:00+00",
                           "0001-12-31 23:59:59+00 BC",
                           "2026-01-02 03:04:05+00 ",
                           "2026-01-02  03:04:05",
                           "02.01.2026 03:04:05",
                           "2026-01-02 03:04:05 CET",
                           "2026-1-2 03:04:05",
                           "2026-01-02 03:04:05,5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_sql_timestamp(text));
  }
}

TEST_CASE("random times survive, and mangled ones do no harm") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20000; ++i) {
    const corbel::timestamp made{
        std::chrono::milliseconds{static_cast<std::int64_t>(random() % 250'000'000'000'000)}};
    std::string text = corbel::to_text(made);
    text[10] = ' ';
    text.replace(text.size() - 1, 1, "+00");
    REQUIRE(parse_sql_timestamp(text) == made);
    text[random() % text.size()] = static_cast<char>(random());
    (void)parse_sql_timestamp(text);
    (void)parse_sql_timestamp(std::string_view(text).substr(0, random() % text.size()));
  }
}
