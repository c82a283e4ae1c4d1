#include "corbel/http/accept.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "corbel/http/media_type.hpp"
#include "http/combined.hpp"

namespace corbel {
namespace {

constexpr std::size_t most_members = 100;
constexpr int full = 1000;

/// A weight in thousandths (RFC 9110, 12.4.2). Clients also write it without its 0, and with more digits;
/// what is above zero then stays above it.
std::optional<int> read_weight(std::string_view text) {
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto digits = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() ? digits.empty() : whole != "0" && whole != "1") return {};
  int weight = whole == "1" ? full : 0;
  bool more = false;
  int unit = 100;
  for (const char c : digits) {
    if (c < '0' || c > '9') return {};
    weight += (c - '0') * unit;
    more |= unit == 0 && c != '0';
    unit /= 10;
  }
  if (weight > full || (weight == full && more)) return {};
  return weight == 0 && more ? 1 : weight;
}

/// One member of a list: its name, the parameters before the weight, and the weight.
struct weighted {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string>> parameters;
  int weight = full;
};

std::optional<weighted> read_member(std::string_view text) {
  weighted member;
  member.name = next_quoted_item(text, ';');
  while (!text.empty()) {
    const auto parameter = next_quoted_item(text, ';');
    if (parameter.empty()) continue;
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos) return {};
    const auto name = trim_space(parameter.substr(0, equals));
    const auto text_of_value = trim_space(parameter.substr(equals + 1));
    if (!is_token(name)) return {};
    if (iequals(name, "q")) {
      const auto weight = read_weight(text_of_value);
      if (!weight) return {};
      member.weight = *weight;
      return member;  // what follows the weight was meant for extensions that nobody defined
    }
    auto value = unquote(text_of_value);
    if (!value) return {};
    member.parameters.emplace_back(name, std::move(*value));
  }
  return member;
}

/// Calls `use` with every member that can be read.
template <class F>
void each_member(std::string_view list, F use) {
  for (std::size_t n = 0; !list.empty() && n < most_members; ++n) {
    const auto text = next_quoted_item(list);
    if (text.empty()) continue;
    if (const auto member = read_member(text)) use(*member);
  }
}

/// How closely a media range names a type; 0 when it does not.
int closeness(const weighted& range, const media_type& named, const media_type& type) {
  if (named.type == "*") return range.parameters.empty() ? 1 : 0;
  if (!iequals(named.type, type.type)) return 0;
  if (named.subtype == "*") return range.parameters.empty() ? 2 : 0;
  if (!iequals(named.subtype, type.subtype)) return 0;
  for (const auto& [name, value] : range.parameters) {
    const auto own = type.parameter(name);
    const bool met = own ? iequals(*own, value) : iequals(name, "charset") && iequals(value, "utf-8");
    if (!met) return 0;
  }
  return 3 + static_cast<int>(range.parameters.size());
}

/// "en", "en-GB", "*": the ranges of RFC 4647, 2.1.
bool is_language_range(std::string_view text) {
  if (text == "*") return true;
  if (text.empty() || text.back() == '-') return false;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('-'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const bool plain = std::all_of(part.begin(), part.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
    if (part.empty() || part.size() > 8 || !plain) return false;
  }
  return true;
}

/// Whether `whole` is `start`, or begins with it and a hyphen.
bool begins_with_tag(std::string_view whole, std::string_view start) {
  return whole.size() >= start.size() && iequals(whole.substr(0, start.size()), start) &&
         (whole.size() == start.size() || whole[start.size()] == '-');
}

bool same_coding(std::string_view a, std::string_view b) {
  const auto bare = [](std::string_view name) {  // x-gzip is gzip (RFC 9110, 8.4.1.3)
    return iequals(name, "x-gzip") || iequals(name, "x-compress") ? name.substr(2) : name;
  };
  return iequals(bare(a), bare(b));
}

}  // namespace

type_preference preference_for(std::optional<std::string_view> accept, std::string_view type) {
  const auto wanted = parse_media_type(type);
  if (!accept || !wanted) return {};
  type_preference found{0, 0};
  bool any = false;
  each_member(*accept, [&](const weighted& range) {
    // Java's client sends "*" for the range of everything.
    const auto named = parse_media_type(range.name == "*" ? "*/*" : range.name);
    if (!named || (named->type == "*" && named->subtype != "*")) return;
    any = true;
    const int close = closeness(range, *named, *wanted);
    // Of two ranges that are equally close, which only a mistake brings about, the kinder one counts.
    if (close > found.closeness)
      found = {range.weight, close};
    else if (close != 0 && close == found.closeness)
      found.quality = std::max(found.quality, range.weight);
  });
  return any ? found : type_preference{};
}

std::string_view best_type(std::optional<std::string_view> accept, choices offered) {
  std::string_view best;
  int most = 0;
  for (const auto type : offered)
    if (const int q = preference_for(accept, type).quality; q > most) {
      most = q;
      best = type;
    }
  return best;
}

std::string_view best_type(const request& in, choices offered) {
  std::string joined;
  return best_type(combined(in, "Accept", joined), offered);
}

std::string_view preferred_encoding(std::optional<std::string_view> accept_encoding, choices offered) {
  constexpr std::string_view identity = "identity";
  if (!accept_encoding) return identity;
  struct named {
    std::string_view name;
    int weight;
  };
  std::vector<named> all;
  each_member(*accept_encoding, [&](const weighted& coding) {
    if (is_token(coding.name) && coding.parameters.empty()) all.push_back({coding.name, coding.weight});
  });
  const auto weight_of = [&](std::string_view name) -> std::optional<int> {
    std::optional<int> rest;
    for (const auto& each : all) {
      if (same_coding(each.name, name)) return each.weight;
      if (each.name == "*" && !rest) rest = each.weight;
    }
    return rest;
  };
  std::string_view best;
  int most = 0;
  for (const auto name : offered)
    if (const int q = weight_of(name).value_or(0); q > most) {
      most = q;
      best = name;
    }
  // Identity needs no mention to be acceptable, and is used when nothing else is, or when it is named with a
  // weight that beats the rest. The "*" stands for it only where it refuses.
  const bool named_identity =
      std::any_of(all.begin(), all.end(), [](const named& each) { return iequals(each.name, "identity"); });
  if (best.empty()) return weight_of(identity).value_or(full) > 0 ? identity : std::string_view{};
  return named_identity && weight_of(identity).value_or(0) > most ? identity : best;
}

std::string_view preferred_encoding(const request& in, choices offered) {
  std::string joined;
  return preferred_encoding(combined(in, "Accept-Encoding", joined), offered);
}

std::string_view preferred_language(std::optional<std::string_view> accept_language, choices offered) {
  if (!accept_language) return offered.front();
  std::vector<weighted> ranges;
  each_member(*accept_language, [&](const weighted& range) {
    if (range.parameters.empty() && is_language_range(range.name)) ranges.push_back(range);
  });
  std::string_view best;
  int most = 0;
  for (const auto tag : offered) {
    std::size_t length = 0;
    std::optional<int> direct;  // by the longest range that the tag falls under
    std::optional<int> rest;    // by "*"
    int shortened = 0;          // by a range that must be cut to reach the tag
    for (const auto& range : ranges) {
      if (range.name == "*") {
        if (!rest) rest = range.weight;
      } else if (begins_with_tag(tag, range.name)) {
        if (range.name.size() > length) {
          length = range.name.size();
          direct = range.weight;
        }
      } else if (begins_with_tag(range.name, tag)) {
        shortened = std::max(shortened, range.weight);
      }
    }
    // Where weights are equal, what the client named goes before what it was cut to, and that before "*".
    const int score = direct ? *direct * 3 + (*direct > 0 ? 2 : 0)
                             : std::max(shortened * 3 + (shortened > 0 ? 1 : 0), rest.value_or(0) * 3);
    if (score > most) {
      most = score;
      best = tag;
    }
  }
  return best.empty() ? offered.front() : best;
}

std::string_view preferred_language(const request& in, choices offered) {
  std::string joined;
  return preferred_language(combined(in, "Accept-Language", joined), offered);
}

void vary(response& out, std::string_view field_name) {
  std::string all;
  std::string_view lines = out.header_text();
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\r'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 2));
    const auto colon = line.find(':');
    if (!iequals(line.substr(0, colon), "Vary")) continue;
    if (!all.empty()) all += ", ";
    all += trim_space(line.substr(colon + 1));
  }
  if (list_contains(all, "*") || list_contains(all, field_name)) return;
  if (field_name == "*") all.clear();
  if (!all.empty()) all += ", ";
  out.set("Vary", all.append(field_name));
}

}  // namespace corbel
