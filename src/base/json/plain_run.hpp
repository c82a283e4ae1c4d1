#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace corbel::json {

/// The bytes a JSON string holds as they are: ASCII but the quote, the backslash and control characters.
inline constexpr std::array<bool, 256> is_plain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

/// The first byte in [at, end) that is not plain, found eight bytes at a time.
inline const char* skip_plain(const char* at, const char* end) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t highs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - ones) & ~x; };
  while (end - at >= 8) {
    std::uint64_t eight;
    std::memcpy(&eight, at, sizeof eight);
    // A false mark can only stand above a true one (the borrow runs upwards), so the lowest mark is exact.
    const std::uint64_t marks = (eight | has_zero(eight ^ ones * '"') | has_zero(eight ^ ones * '\\') |
                                 ((eight - ones * 0x20) & ~eight)) &
                                highs;
    if (marks) {
      if constexpr (std::endian::native == std::endian::little) return at + std::countr_zero(marks) / 8;
      break;
    }
    at += 8;
  }
  while (at != end && is_plain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

}  // namespace corbel::json
