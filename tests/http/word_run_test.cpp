#include "http/word_run.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using corbel::detail::word;
using corbel::detail::word_run;

namespace {

template <word what>
std::size_t run_by_hand(const std::string& text) {
  std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
  if (what == word::without_slash) allowed.remove_suffix(1);
  return std::min(text.find_first_not_of(allowed), text.size());
}

/// It may stop early, but only where fewer than sixteen bytes are left.
template <word what>
void check(const std::string& text) {
  const auto found = word_run<what>(text.data(), text.data() + text.size());
  const auto there = run_by_hand<what>(text);
  REQUIRE(found <= there);
  if (found == there) return;
#if defined(__SSE2__)
  REQUIRE(text.size() - found < 16);
#endif
}

}  // namespace

TEST_CASE("a run of words is what a loop over its bytes finds, and no byte behind the end is read") {
  for (int byte = 0; byte < 256; ++byte)
    for (std::size_t at = 0; at < 40; ++at) {
      std::string text(40, 'w');
      text[at] = static_cast<char>(byte);
      text.shrink_to_fit();
      check<word::with_slash>(text);
      check<word::without_slash>(text);
    }
  std::mt19937 random(11);
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random() % 70, ' ');
    for (char& c : text) c = random() % 16 ? "azAZ09-._/"[random() % 10] : static_cast<char>(random() % 256);
    check<word::with_slash>(text);
    check<word::without_slash>(text);
  }
}
