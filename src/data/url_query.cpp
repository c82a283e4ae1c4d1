#include "data/url_query.hpp"

#include <charconv>

#include "corbel/base/quantity.hpp"

namespace corbel::data {

using std::chrono::milliseconds;

std::optional<std::pair<std::string_view, std::string_view>> take_option(std::string_view& query) {
  if (query.empty()) return {};
  const auto ampersand = query.find('&');
  const auto pair = query.substr(0, ampersand);
  query = ampersand == std::string_view::npos ? std::string_view() : query.substr(ampersand + 1);
  const auto equals = pair.find('=');
  return std::pair(pair.substr(0, equals),
                   equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
}

std::optional<std::uint64_t> read_count(std::string_view text, std::uint64_t low,
                                        std::uint64_t high) noexcept {
  std::uint64_t n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (wrong != std::errc{} || end != text.data() + text.size() || n < low || n > high) return {};
  return n;
}

std::optional<milliseconds> read_option_duration(std::string_view text) noexcept {
  if (text == "0") return milliseconds(0);
  const auto read = from_text(tag<milliseconds>{}, text);
  if (!read || *read > std::chrono::hours(24)) return {};
  return read;
}

}  // namespace corbel::data
