#pragma once

#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

/// How many rounds a test of random input makes: `usual`, times what CORBEL_TEST_EFFORT says, which
/// `scripts/test --judges` and
/// `--soak` set.
inline int effort(int usual) {
  const char* const asked = std::getenv("CORBEL_TEST_EFFORT");
  const std::string_view text = asked ? asked : "";
  int factor = 1;
  std::from_chars(text.data(), text.data() + text.size(), factor);
  if (factor < 1) return usual;
  return usual > std::numeric_limits<int>::max() / factor ? std::numeric_limits<int>::max() : usual * factor;
}
