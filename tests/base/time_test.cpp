#include <doctest/doctest.h>

#include "corbel/base/time.hpp"

using namespace std::chrono;

TEST_CASE("a timestamp is RFC 3339 in UTC with milliseconds, both ways") {
  const corbel::timestamp t = sys_days{2026y / January / 2} + 3h + 4min + 5s + 678ms;
  CHECK(corbel::to_text(t) == "2026-01-02T03:04:05.678Z");
  CHECK(corbel::parse_timestamp("2026-01-02T03:04:05.678Z") == t);
  CHECK(corbel::parse_timestamp("2026-01-02T05:34:05.678999+02:30") == t);
  CHECK(corbel::parse_timestamp("2026-01-01t22:04:05.678-05:00") == t);
  CHECK(corbel::parse_timestamp("2016-12-31T23:59:60Z") == corbel::parse_timestamp("2017-01-01T00:00:00Z"));
  CHECK(corbel::parse_timestamp("2017-01-01T05:29:60+05:30"));
  CHECK(corbel::parse_timestamp("2016-06-30T16:59:60.5-07:00"));
  CHECK(corbel::to_text(corbel::timestamp{-1ms}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("what is not a timestamp is refused whole") {
  for (const char* text :
       {"", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z", "2026-01-02T03:04:61Z",
        "2024-05-05T12:34:60Z", "2024-05-05T23:59:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T22:59:60Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05Zx", "2026-01-02T03:04:05+2:00",
        "2026-01-02T03:04:05+24:00", "+026-01-02T03:04:05Z"}) {
    CAPTURE(text);
    CHECK_FALSE(corbel::parse_timestamp(text));
  }
}

TEST_CASE("a date is a day that exists") {
  CHECK(corbel::parse_date("2024-02-29") == corbel::date{2024y / February / 29});
  CHECK(corbel::to_text(corbel::date{999y / March / 1}) == "0999-03-01");
  for (const char* text :
       {"2023-02-29", "2023-2-1", "2023-02-01T", "", "20230201", "2023-00-01", "2023-01-00"}) {
    CAPTURE(text);
    CHECK_FALSE(corbel::parse_date(text));
  }
}

TEST_CASE("texts have the years 1 to 9999, as UTC counts them") {
  using corbel::earliest_timestamp, corbel::latest_timestamp;
  CHECK(corbel::parse_timestamp("0001-01-01T00:00:00Z") == earliest_timestamp);
  CHECK(corbel::parse_timestamp("0001-01-01T05:00:00+05:00") == earliest_timestamp);
  CHECK(corbel::parse_timestamp("0000-12-31T19:00:00-05:00") == earliest_timestamp);
  CHECK(corbel::parse_timestamp("9999-12-31T23:59:59.999Z") == latest_timestamp);
  CHECK(corbel::parse_timestamp("9999-12-31T18:59:59.9999-05:00") == latest_timestamp);
  for (const char* text :
       {"9999-12-31T23:59:59-05:00", "9999-12-31T23:59:60Z", "9999-12-31T23:59:59.999-00:01",
        "0000-01-01T00:00:00Z", "0000-12-31T23:59:59.999Z", "0001-01-01T00:00:00+00:01",
        "0001-01-01T04:59:59+05:00"}) {
    CAPTURE(text);
    CHECK_FALSE(corbel::parse_timestamp(text));
  }
  CHECK(corbel::parse_date("0001-01-01") == corbel::date{year{1} / 1 / 1});
  CHECK(corbel::parse_date("9999-12-31") == corbel::date{year{9999} / 12 / 31});
  for (const char* text : {"0000-01-01", "0000-12-31", "10000-01-01", "-001-01-01"}) {
    CAPTURE(text);
    CHECK_FALSE(corbel::parse_date(text));
  }
}

TEST_CASE("a time that no text can say becomes the nearest one that it can") {
  using corbel::earliest_timestamp, corbel::latest_timestamp, corbel::to_text;
  CHECK(to_text(latest_timestamp) == "9999-12-31T23:59:59.999Z");
  CHECK(to_text(latest_timestamp + 1ms) == "9999-12-31T23:59:59.999Z");
  CHECK(to_text(corbel::timestamp::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(to_text(earliest_timestamp) == "0001-01-01T00:00:00.000Z");
  CHECK(to_text(earliest_timestamp - 1ms) == "0001-01-01T00:00:00.000Z");
  CHECK(to_text(corbel::timestamp::min()) == "0001-01-01T00:00:00.000Z");
  CHECK(to_text(corbel::date{year{10000} / 3 / 1}) == "9999-12-31");
  CHECK(to_text(corbel::date{year{0} / 3 / 1}) == "0001-01-01");
  CHECK(to_text(corbel::date{year{-5} / 3 / 1}) == "0001-01-01");
}
