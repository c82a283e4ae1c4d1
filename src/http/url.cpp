#include "corbel/http/url.hpp"

#include <array>

#include "base/hex.hpp"

namespace corbel {
namespace {

constexpr std::array<bool, 256> is_unreserved = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

/// Writes the decoded text to `out`, which has room for `text.size()` bytes; the end of it, or null.
char* decode(std::string_view text, char* out, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\0') return nullptr;
    if (c == '%') {
      if (i + 2 >= text.size()) return nullptr;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high | low) == 0) return nullptr;
      c = static_cast<char>(high << 4 | low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    *out++ = c;
  }
  return out;
}

bool decode(std::string_view text, std::string& out, bool plus_is_space) {
  out.resize(text.size());
  const char* end = decode(text, out.data(), plus_is_space);
  if (!end) return false;
  out.resize(static_cast<std::size_t>(end - out.data()));
  return true;
}

}  // namespace

bool percent_decode(std::string_view text, std::string& out) {
  return decode(text, out, false);
}
bool form_decode(std::string_view text, std::string& out) {
  return decode(text, out, true);
}

void append_percent_encoded(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_unreserved[static_cast<unsigned char>(text[plain])]) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    for (; !text.empty() && !is_unreserved[static_cast<unsigned char>(text.front())]; text.remove_prefix(1)) {
      const auto u = static_cast<unsigned char>(text.front());
      const char escaped[] = {'%', digits[u >> 4], digits[u & 0xf]};
      out.append(escaped, sizeof escaped);
    }
  }
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_percent_encoded(out, text);
  return out;
}

std::optional<query_pairs> query_pairs::parse(std::string_view query) {
  query_pairs made;
  made.text_.resize(query.size());
  char* at = made.text_.data();
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto read = [&](std::string_view part) -> std::optional<std::string_view> {
      char* const from = at;
      char* const to = decode(part, from, true);
      if (!to) return {};
      at = to;
      return std::string_view{from, static_cast<std::size_t>(to - from)};
    };
    const auto name = read(pair.substr(0, equals));
    const auto value = read(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    if (!name || !value) return {};
    made.pairs_.emplace_back(*name, *value);
  }
  return made;
}

}  // namespace corbel
