#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "corbel/base/uuid.hpp"

using corbel::uuid;

TEST_CASE("a version 7 id carries its millisecond, version and variant") {
  const corbel::timestamp t{std::chrono::milliseconds{0x0123'4567'89ab}};
  const std::string text = corbel::to_text(uuid::v7(t));
  // The thread's clock may already be further: only ids of a new thread start at t.
  CHECK(text.size() == 36);
  CHECK(text[14] == '7');
  CHECK(std::string("89ab").find(text[19]) != std::string::npos);
  const auto late = corbel::to_text(uuid::v7(corbel::timestamp{std::chrono::milliseconds{0xffff'0000'0001}}));
  CHECK(late.substr(0, 13) == "ffff0000-0001");
}

TEST_CASE("ids rise strictly, within a millisecond and when the clock steps back") {
  const corbel::timestamp t{std::chrono::milliseconds{0xffff'1000'0000}};
  uuid last = uuid::v7(t);
  std::set<uuid> seen{last};
  for (int i = 0; i < 200'000; ++i) {
    const uuid next = uuid::v7(t - std::chrono::milliseconds{i % 3});
    REQUIRE(last < next);
    last = next;
    seen.insert(next);
  }
  CHECK(seen.size() == 200'001);
}

TEST_CASE("a forked child does not repeat its parent's ids") {
  (void)uuid::v7();
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const uuid made = uuid::v7();
    const auto n = ::write(ends[1], made.bytes.data(), 16);
    ::_exit(n == 16 ? 0 : 1);
  }
  uuid theirs;
  REQUIRE(::read(ends[0], theirs.bytes.data(), 16) == 16);
  const uuid ours = uuid::v7();
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(std::vector<std::uint8_t>(theirs.bytes.begin() + 10, theirs.bytes.end()) !=
        std::vector<std::uint8_t>(ours.bytes.begin() + 10, ours.bytes.end()));
}

TEST_CASE("every byte is written as its two digits") {
  constexpr char digits[] = "0123456789abcdef";
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 16; ++at) {
      uuid id;
      for (std::size_t i = 0; i < 16; ++i) id.bytes[i] = static_cast<std::uint8_t>(i == at ? byte : 17 * i);
      std::string expected;
      for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) expected += '-';
        expected += digits[id.bytes[i] >> 4];
        expected += digits[id.bytes[i] & 15];
      }
      REQUIRE(corbel::to_text(id) == expected);
    }
  }
}

TEST_CASE("the text form reads back, and nothing else does") {
  const uuid id = uuid::v7();
  CHECK(corbel::parse_uuid(corbel::to_text(id)) == id);
  CHECK(corbel::parse_uuid("0190A5B0-6C1E-7CC0-8000-0123456789AB"));
  for (const char* text : {"", "0190a5b06c1e7cc080000123456789ab", "0190a5b0-6c1e-7cc0-8000-0123456789a",
                           "0190a5b0-6c1e-7cc0-8000-0123456789abc", "0190a5b0_6c1e-7cc0-8000-0123456789ab",
                           "g190a5b0-6c1e-7cc0-8000-0123456789ab"}) {
    CAPTURE(text);
    CHECK_FALSE(corbel::parse_uuid(text));
  }
}
