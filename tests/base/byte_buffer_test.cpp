#include "corbel/base/byte_buffer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>

using corbel::byte_buffer;

TEST_CASE("a buffer is what a string would be, whatever is done to it") {
  byte_buffer buffer;
  std::string judge;
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    switch (random() % 8) {
      case 0: {
        const std::size_t to = random() % (judge.size() + 1);
        buffer.truncate(to);
        judge.resize(to);
        break;
      }
      case 1: {
        const std::size_t at = random() % (judge.size() + 1);
        const std::size_t n = random() % (judge.size() - at + 1);
        if (judge.empty()) break;
        buffer.erase(at, n);
        judge.erase(at, n);
        break;
      }
      case 2: {
        byte_buffer copy(buffer);
        copy.append("behind the copy");
        buffer = i % 2 ? byte_buffer(buffer) : std::move(buffer);
        REQUIRE(copy.view() == judge + "behind the copy");
        break;
      }
      case 3: {
        const std::size_t n = random() % 50;
        std::fill_n(buffer.room(n + 7), n, 'r');
        buffer.commit(n);
        judge.append(n, 'r');
        break;
      }
      default: {
        const std::string piece(random() % 300, static_cast<char>('a' + i % 26));
        buffer.append(piece);
        judge += piece;
      }
    }
    REQUIRE(buffer.view() == judge);
    REQUIRE(buffer.size() == judge.size());
    REQUIRE(buffer.empty() == judge.empty());
  }
  buffer.clear();
  CHECK(buffer.view() == "");
  buffer.append(std::string(2 * byte_buffer::usual, 'x'));
  buffer.clear();
  buffer.append("again");
  CHECK(buffer.view() == "again");
}

TEST_CASE("a buffer that never held anything may be emptied and copied") {
  byte_buffer nothing;
  nothing.append("");
  nothing.clear();
  nothing.truncate(0);
  CHECK(byte_buffer(nothing).view().empty());
}
