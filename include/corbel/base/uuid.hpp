#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/base/time.hpp>

namespace corbel {

/// A UUID (RFC 9562), as its 16 bytes in network order.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const uuid&, const uuid&) = default;

  /// A new version 7 id: the millisecond, a 22-bit counter, then 52 bits nobody can guess. Ids made by one
  /// thread rise strictly, also within a millisecond and when the clock steps back. Thread-safe.
  static uuid v7();
  /// The same for a given time, such as a test's clock.
  static uuid v7(timestamp now);
};

/// "0190a5b0-6c1e-7cc0-8000-0123456789ab": 36 characters, lower case.
std::string to_text(const uuid& id);
void append_text(std::string& out, const uuid& id);
/// The same into 36 characters of the caller's.
void write_text(char* out, const uuid& id) noexcept;
/// Reads the 36-character form in either case; empty for anything else.
std::optional<uuid> parse_uuid(std::string_view text) noexcept;

}  // namespace corbel

template <>
struct std::hash<corbel::uuid> {
  std::size_t operator()(const corbel::uuid& id) const noexcept {
    std::size_t h = 0;
    for (int i = 8; i < 16; ++i) h = h << 8 | id.bytes[static_cast<std::size_t>(i)];
    return h;
  }
};
