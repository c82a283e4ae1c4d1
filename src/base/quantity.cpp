#include "corbel/base/quantity.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace corbel {
namespace {

template <class Number>
struct quantity_unit {
  std::string_view name;
  Number factor;
};

constexpr std::array<quantity_unit<std::uint64_t>, 10> sizes{{{"B", 1},
                                                              {"KiB", 1ull << 10},
                                                              {"MiB", 1ull << 20},
                                                              {"GiB", 1ull << 30},
                                                              {"TiB", 1ull << 40},
                                                              {"kB", 1'000},
                                                              {"KB", 1'000},
                                                              {"MB", 1'000'000},
                                                              {"GB", 1'000'000'000},
                                                              {"TB", 1'000'000'000'000}}};
constexpr std::size_t binary_sizes = 5;

// Each divides the next.
constexpr std::array<quantity_unit<std::int64_t>, 7> spans{{{"ns", 1},
                                                            {"us", 1'000},
                                                            {"ms", 1'000'000},
                                                            {"s", 1'000'000'000},
                                                            {"m", 60'000'000'000},
                                                            {"h", 3'600'000'000'000},
                                                            {"d", 86'400'000'000'000}}};

/// number * factor, where both have their text, in `text`; empty when it is anything else or too large.
template <class Number, std::size_t N>
std::optional<Number> read(std::string_view text, const std::array<quantity_unit<Number>, N>& units) {
  Number number = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return {};
  std::string_view name(stop, static_cast<std::size_t>(text.data() + text.size() - stop));
  if (name == "min") name = "m";  // as C++ writes it; no size is called so
  for (const auto& u : units)
    if (u.name == name) {
      if (number > std::numeric_limits<Number>::max() / u.factor) return {};
      if (number < std::numeric_limits<Number>::min() / u.factor) return {};
      return number * u.factor;
    }
  return {};
}

}  // namespace

std::string to_text(byte_size size) {
  std::size_t fits = 0;
  for (std::size_t i = 1; i < binary_sizes && size.bytes > 0; ++i)
    if (size.bytes % sizes[i].factor == 0) fits = i;
  return std::to_string(size.bytes / sizes[fits].factor).append(sizes[fits].name);
}

std::optional<byte_size> from_text(tag<byte_size>, std::string_view text) noexcept {
  const auto bytes = read(text, sizes);
  if (!bytes) return {};
  return byte_size{*bytes};
}

namespace detail {

std::string duration_text(std::int64_t count, std::int64_t unit_in_ns) {
  // From the largest unit that divides the type's own, up as long as the number stays whole.
  std::size_t at = 0;
  for (std::size_t i = 0; i < spans.size(); ++i)
    if (unit_in_ns % spans[i].factor == 0) at = i;
  std::int64_t number = count * (unit_in_ns / spans[at].factor);
  while (number != 0 && at + 1 < spans.size()) {
    const auto step = spans[at + 1].factor / spans[at].factor;
    if (number % step != 0) break;
    number /= step;
    ++at;
  }
  return std::to_string(number).append(spans[at].name);
}

std::optional<std::int64_t> read_duration(std::string_view text, std::int64_t unit_in_ns) noexcept {
  const auto ns = read(text, spans);
  if (!ns || *ns % unit_in_ns != 0) return {};
  return *ns / unit_in_ns;
}

}  // namespace detail
}  // namespace corbel
