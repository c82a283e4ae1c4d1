#include "data/url_query.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <vector>

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

namespace {

/// How many letters have to be put in, taken out or changed to make `b` of `a`.
std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_name(std::string_view written, std::span<const std::string_view> names) {
  // A URL may hold anything: what is longer than any option and its mistakes is not looked at.
  if (written.size() > 64) return {};
  std::string_view best;
  std::size_t fewest = 3;
  for (const auto name : names) {
    const auto apart = letters_apart(written, name);
    if (apart < fewest && apart * 2 < name.size()) {
      fewest = apart;
      best = name;
    }
  }
  return best;
}

std::string no_such_option(std::string_view written, std::span<const std::string_view> names) {
  std::string text = "There is no option \"" + std::string(written) + '"';
  if (const auto meant = nearest_name(written, names); !meant.empty())
    text += "; \"" + std::string(meant) + "\" was meant, perhaps";
  text += ". There are ";
  for (std::size_t i = 0; i < names.size(); ++i)
    text.append(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ").append(names[i]);
  return text + '.';
}

}  // namespace corbel::data
