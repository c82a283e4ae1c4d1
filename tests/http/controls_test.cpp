#include "http/controls.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "effort.hpp"

using namespace corbel::detail;

TEST_CASE("the first control character is found from every place, by every way of looking") {
  std::mt19937 random(64);
  for (int round = 0, rounds = effort(40'000); round < rounds; ++round) {
    // A block of exactly that size, so that a sanitizer sees what is read outside of it.
    std::vector<char> text(random() % 70);
    for (auto& c : text) {
      c = static_cast<char>(random());
      // Mostly what is none, and what looks most like one.
      while (is_control(c) && random() % 16) c = "\t \x80\x9f\xff~\x81!"[random() % 8];
    }
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const char* from = begin + (text.empty() ? 0 : random() % (text.size() + 1));
    const char* expected = from;
    while (expected != end && !is_control(*expected)) ++expected;
    REQUIRE(find_control_portable(from, end) == expected);
    REQUIRE(find_control(begin, from, end) == expected);
    REQUIRE(find_control(from, from, end) == expected);
  }
}

TEST_CASE("control characters are those that RFC 9110 keeps out of a field") {
  for (int c = 0; c < 256; ++c) CHECK(is_control(static_cast<char>(c)) == ((c < 32 && c != 9) || c == 127));
}
