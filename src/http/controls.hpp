#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corbel::detail {

/// Whether a line of HTTP may not hold it: every control character but the tab (RFC 9110, 5.5).
constexpr bool is_control(char c) noexcept {
  const auto u = static_cast<unsigned char>(c);
  return (u < 0x20 && u != '\t') || u == 0x7f;
}

/// The first control character in [from, end), or `end`. Eight bytes at a time, on any machine.
inline const char* find_control_portable(const char* from, const char* end) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  for (; end - from >= 8; from += 8) {
    std::uint64_t x;
    std::memcpy(&x, from, sizeof x);
    const std::uint64_t del = x ^ (ones * 0x7f);
    // A borrow may report a neighbour, and a tab counts as one here: what is suspicious is looked at again.
    if ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & highs)
      for (const char* at = from; at != from + 8; ++at)
        if (is_control(*at)) return at;
  }
  while (from != end && !is_control(*from)) ++from;
  return from;
}

/// The same, sixteen bytes at a time where SSE2 is (all of x86-64). Bytes from `begin` on, at or before
/// `from`, may be read once more, which spares short texts their last bytes one by one.
inline const char* find_control(const char* begin, const char* from, const char* end) noexcept {
#if defined(__SSE2__)
  const auto controls = [](const char* at) noexcept {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    const __m128i tab = _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
  };
  for (; end - from >= 16; from += 16)
    if (const unsigned found = controls(from)) return from + __builtin_ctz(found);
  if (end - begin < 16) return find_control_portable(from, end);
  const unsigned found = controls(end - 16) >> (16 - (end - from));
  return found ? from + __builtin_ctz(found) : end;
#else
  static_cast<void>(begin);
  return find_control_portable(from, end);
#endif
}

}  // namespace corbel::detail
