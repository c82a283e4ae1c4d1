#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <corbel/base/describe/describe.hpp>

namespace corbel {

/// A number of bytes. As text "512B", "64KiB", "1MiB", or with powers of ten "5MB".
struct byte_size {
  std::uint64_t bytes = 0;
  friend auto operator<=>(const byte_size&, const byte_size&) = default;
};

/// In the largest binary unit that divides it: "1MiB", "1536B".
std::string to_text(byte_size size);
/// Digits and a unit without a blank: B, KiB, MiB, GiB, TiB, kB, KB, MB, GB, TB. Empty for anything else.
std::optional<byte_size> from_text(tag<byte_size>, std::string_view text) noexcept;
constexpr std::string_view expectation(tag<byte_size>) {
  return "a size with its unit such as 512KiB, 1MiB or 5MB";
}

namespace detail {
std::string duration_text(std::int64_t count, std::int64_t unit_in_ns);
std::optional<std::int64_t> read_duration(std::string_view text, std::int64_t unit_in_ns) noexcept;

template <class Period>
inline constexpr std::int64_t in_ns = Period::num*(std::nano::den / Period::den);
}  // namespace detail

/// Durations of whole nanoseconds to days travel as text, in the largest unit that divides them: "250ms",
/// "30s", "5m", "2h", "1d".
template <std::integral Rep, class Period>
std::string to_text(std::chrono::duration<Rep, Period> d) {
  return detail::duration_text(static_cast<std::int64_t>(d.count()), detail::in_ns<Period>);
}
/// Digits and one unit (ns, us, ms, s, m or min, h, d) without a blank. Empty for anything else, and for what
/// the type cannot hold: 250ms in std::chrono::seconds.
template <std::integral Rep, class Period>
std::optional<std::chrono::duration<Rep, Period>> from_text(tag<std::chrono::duration<Rep, Period>>,
                                                            std::string_view text) noexcept {
  static_assert(std::nano::den % Period::den == 0, "corbel: a duration in text is made of whole nanoseconds");
  const auto count = detail::read_duration(text, detail::in_ns<Period>);
  if (!count || !std::in_range<Rep>(*count)) return {};
  return std::chrono::duration<Rep, Period>(static_cast<Rep>(*count));
}
template <std::integral Rep, class Period>
constexpr std::string_view expectation(tag<std::chrono::duration<Rep, Period>>) {
  if constexpr (detail::in_ns < Period >> detail::in_ns<std::ratio<60>>)
    return "a duration with its unit such as 12h or 7d";
  else if constexpr (detail::in_ns<Period> > detail::in_ns<std::ratio<1>>)
    return "a duration with its unit such as 15min, 2h or 1d";
  else if constexpr (detail::in_ns<Period> > detail::in_ns<std::milli>)
    return "a duration with its unit such as 15min, 30s or 2h";
  else
    return "a duration with its unit such as 15min, 30s or 250ms";
}

}  // namespace corbel
