#pragma once

#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corbel::detail {

enum class word : bool { without_slash, with_slash };

/// How many of the bytes from `from` on are ASCII letters, digits, '-', '.', '_' or, if asked for, '/': most
/// of any name, path or host. It looks at sixteen bytes at a time and only where all of them lie before
/// `end`, so it may say less than there is; whoever needs all of them goes on byte by byte.
template <word what>
inline std::size_t word_run([[maybe_unused]] const char* from, [[maybe_unused]] const char* end) noexcept {
  std::size_t run = 0;
#if defined(__SSE2__)
  for (; end - from >= 16; from += 16, run += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    // Unsigned "at most" is a minimum that changes nothing.
    const auto within = [](__m128i bytes, char first, char count) noexcept {
      const __m128i moved = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
      return _mm_cmpeq_epi8(_mm_min_epu8(moved, _mm_set1_epi8(static_cast<char>(count - 1))), moved);
    };
    const __m128i letter = within(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 26);
    __m128i other = _mm_or_si128(within(x, '-', '9' - '-' + 1), _mm_cmpeq_epi8(x, _mm_set1_epi8('_')));
    if constexpr (what == word::without_slash)
      other = _mm_andnot_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('/')), other);
    const auto all = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(letter, other)));
    if (all != 0xffff) return run + static_cast<std::size_t>(__builtin_ctz(~all));
  }
#endif
  return run;
}

}  // namespace corbel::detail
