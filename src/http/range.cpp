#include "corbel/http/range.hpp"

#include <algorithm>
#include <limits>

#include "corbel/http/date.hpp"
#include "corbel/http/problem.hpp"

namespace corbel {
namespace {

constexpr std::uint64_t part_head_cost = 80;  // bytes, about what each part of a multipart/byteranges costs

/// Decimal digits; a number too large for 64 bits reads as the largest. Empty when `text` is no number.
std::optional<std::uint64_t> read_position(std::string_view text) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  if (text.empty()) return {};
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (most - digit) / 10 ? most : value * 10 + digit;
  }
  return value;
}

struct range_set {
  bool readable = true;
  bool all_of_nothing =
      false;  // an empty representation was asked for its last bytes: that is the whole of it
  std::size_t count = 0;
  std::vector<byte_range> found;  // those that the representation has
};

range_set read_ranges(std::string_view text, std::uint64_t size) {
  range_set set;
  const auto unreadable = [&]() -> range_set& {
    set.readable = false;
    return set;
  };
  while (!text.empty()) {
    const auto spec = next_item(text);
    if (spec.empty()) continue;
    if (++set.count > most_ranges) return unreadable();
    const auto dash = spec.find('-');
    if (dash == std::string_view::npos) return unreadable();
    const auto to = read_position(spec.substr(dash + 1));
    if (dash == 0) {  // the last so many bytes
      if (!to) return unreadable();
      if (*to > 0 && size == 0) set.all_of_nothing = true;
      if (*to > 0 && size > 0) set.found.push_back({size - std::min(*to, size), size - 1});
      continue;
    }
    const auto from = read_position(spec.substr(0, dash));
    const bool open = dash + 1 == spec.size();
    if (!from || (!to && !open) || (to && *to < *from)) return unreadable();
    if (*from < size) set.found.push_back({*from, open ? size - 1 : std::min(*to, size - 1)});
  }
  if (set.count == 0) return unreadable();
  return set;
}

void coalesce(std::vector<byte_range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const byte_range& a, const byte_range& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    auto& last = ranges[kept];
    if (ranges[i].first <= last.last || ranges[i].first - last.last <= part_head_cost + 1)
      last.last = std::max(last.last, ranges[i].last);
    else
      ranges[++kept] = ranges[i];
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
}

/// Whether If-Range, if it is there, names the present state. Both of its forms compare strongly; a date does
/// so only when a second has passed since, in which the state could have changed again (RFC 9110, 13.1.5
/// and 8.8.2.2).
bool is_same_state(const request& in, const validators& current) {
  const auto text = in.header("If-Range");
  if (!text) return true;
  if (const auto tag = entity_tag::parse(*text)) return current.etag && same_strongly(*tag, *current.etag);
  const auto date = parse_http_date(*text, in.now());
  if (!date || !current.last_modified) return false;
  const auto modified = std::chrono::floor<std::chrono::seconds>(*current.last_modified);
  return modified == *date && modified + std::chrono::seconds(1) <= in.now();
}

}  // namespace

range_choice choose_ranges(const request& in, std::uint64_t size, const validators& current) {
  if (in.method() != method::get) return {};
  std::optional<std::string_view> text;
  for (const auto& field : in.headers())
    if (iequals(field.name, "Range")) {
      if (text) return {};
      text = field.value;
    }
  constexpr std::string_view unit = "bytes=";
  if (!text || !iequals(text->substr(0, unit.size()), unit) || !is_same_state(in, current)) return {};
  auto set = read_ranges(text->substr(unit.size()), size);
  if (!set.readable || set.all_of_nothing) return {};
  if (set.found.empty()) return {range_choice::kind::unsatisfiable, {}};
  coalesce(set.found);
  return {range_choice::kind::partial, std::move(set.found)};
}

std::string content_range(const byte_range& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.last) + '/' +
         std::to_string(size);
}

void refuse_range(const request& in, std::uint64_t size, response& out) {
  problem::write(in,
                 error(error_kind::range_not_satisfiable, "range_not_satisfiable",
                       "There are " + std::to_string(size) + " bytes; ask for a range within them."),
                 out);
  out.set("Content-Range", "bytes */" + std::to_string(size));
}

}  // namespace corbel
