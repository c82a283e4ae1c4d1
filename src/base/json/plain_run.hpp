#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corbel::json {

/// The bytes a JSON string holds as they are: ASCII but the quote, the backslash and control characters.
inline constexpr std::array<bool, 256> is_plain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

namespace detail {

constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t highs = 0x8080808080808080;

/// Marks in the high bit of each byte what is not plain; a byte above such a one may be marked falsely, since
/// the borrow runs upwards.
constexpr std::uint64_t marks_in(std::uint64_t eight) noexcept {
  const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x; };
  return (eight | has_zero(eight ^ ones * '"') | has_zero(eight ^ ones * '\\') |
          ((eight - ones * 0x20) & ~eight)) &
         highs;
}

template <class Word>
Word load(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

#if defined(__SSE2__)
/// A bit for each of sixteen bytes that is not plain.
inline unsigned marks_in_sixteen(const char* at) noexcept {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  // As signed bytes, those from 0x80 on are below 0x20 too.
  const __m128i low = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20));
  const __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
  const __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash))));
}
#endif

}  // namespace detail

/// The first byte in [at, end) that is not plain.
inline const char* skip_plain(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16)
    if (const unsigned marks = detail::marks_in_sixteen(at)) return at + std::countr_zero(marks);
#endif
  for (; end - at >= 8; at += 8)
    if (const auto marks = detail::marks_in(detail::load<std::uint64_t>(at))) {
      if constexpr (std::endian::native == std::endian::little) return at + std::countr_zero(marks) / 8;
      break;
    }
  while (at != end && is_plain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

/// Whether every byte is plain; without the byte by byte end of the search above.
inline bool all_plain(const char* at, std::size_t size) noexcept {
  using detail::load;
  using detail::marks_in;
  const char* const end = at + size;
#if defined(__SSE2__)
  if (size >= 16) {
    unsigned marks = detail::marks_in_sixteen(end - 16);
    for (; end - at > 16; at += 16) marks |= detail::marks_in_sixteen(at);
    return marks == 0;
  }
#endif
  if (size >= 8) {
    std::uint64_t marks = marks_in(load<std::uint64_t>(end - 8));
    for (; end - at > 8; at += 8) marks |= marks_in(load<std::uint64_t>(at));
    return marks == 0;
  }
  if (size >= 4)
    return marks_in(std::uint64_t{load<std::uint32_t>(at)} << 32 | load<std::uint32_t>(end - 4)) == 0;
  while (at != end && is_plain[static_cast<unsigned char>(*at)]) ++at;
  return at == end;
}

}  // namespace corbel::json
