#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace corbel::data {

/// Takes the first `name=value` from the front of what stands behind the "?" of a database URL; empty at its
/// end.
std::optional<std::pair<std::string_view, std::string_view>> take_option(std::string_view& query);

/// A number from `low` to `high`.
std::optional<std::uint64_t> read_count(std::string_view text, std::uint64_t low,
                                        std::uint64_t high) noexcept;

/// "250ms", "5s", "1m", or "0", up to a day.
std::optional<std::chrono::milliseconds> read_option_duration(std::string_view text) noexcept;
inline constexpr std::string_view option_duration = "a duration up to 24 h, such as 250ms, 5s or 1m";

/// The name that was meant, if one of them differs by a letter or two; empty when none does.
std::string_view nearest_name(std::string_view written, std::span<const std::string_view> names);
/// What to say of an option that there is not: `There is no option "readerz"; readers was meant, perhaps.
/// There are ...`
std::string no_such_option(std::string_view written, std::span<const std::string_view> names);

}  // namespace corbel::data
