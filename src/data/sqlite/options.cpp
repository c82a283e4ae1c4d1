#include <algorithm>
#include <iterator>

#include "base/hex.hpp"
#include "corbel/data/sqlite/sqlite.hpp"
#include "data/url_query.hpp"

namespace corbel::sqlite {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view forms =
    "Write sqlite:projects.db, sqlite:/absolute/path.db or sqlite::memory:, with options such as "
    "?synchronous=normal&busy_timeout=5s.";

error bad_url(const std::string& what) {
  return {error_kind::invalid, "bad_database_url", what + " " + std::string(forms)};
}

bool set_count(std::string_view text, std::size_t low, std::size_t high, std::size_t& out) {
  const auto number = data::read_count(text, low, high);
  if (!number) return false;
  out = *number;
  return true;
}

bool set_duration(std::string_view text, milliseconds& out) {
  const auto read = data::read_option_duration(text);
  if (read) out = *read;
  return read.has_value();
}

bool set_synchronous(std::string_view text, synchronous_mode& out) {
  constexpr std::string_view names[] = {"off", "normal", "full", "extra"};
  for (std::size_t i = 0; i < 4; ++i)
    if (text == names[i]) return out = static_cast<synchronous_mode>(i), true;
  return false;
}

constexpr std::string_view option_names[] = {"synchronous", "busy_timeout", "checkout_timeout",
                                             "readers",     "most_waiting", "statement_cache"};

/// Of one of `option_names`: empty when it was taken, else what it expects.
std::string set_option(std::string_view name, std::string_view value, options& out) {
  if (name == "synchronous")
    return set_synchronous(value, out.synchronous) ? "" : "off, normal, full or extra";
  if (name == "busy_timeout" || name == "checkout_timeout") {
    auto& target = name == "busy_timeout" ? out.busy_timeout : out.checkout_timeout;
    return set_duration(value, target) ? "" : std::string(data::option_duration);
  }
  if (name == "readers") return set_count(value, 1, 64, out.readers) ? "" : "a number from 1 to 64";
  if (name == "most_waiting")
    return set_count(value, 0, 1'000'000, out.most_waiting) ? "" : "a number from 0 to 1000000";
  return set_count(value, 1, 10'000, out.statement_cache) ? "" : "a number from 1 to 10000";
}

/// Empty when an escape is broken, or hides a NUL.
std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return {};
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return {};
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

}  // namespace

result<options> parse_url(std::string_view url) {
  constexpr std::string_view scheme = "sqlite:";
  if (url.substr(0, scheme.size()) != scheme) return bad_url("This is no SQLite URL.");
  url.remove_prefix(scheme.size());
  const auto question = url.find('?');
  std::string_view path = url.substr(0, question);
  std::string_view query = question == std::string_view::npos ? std::string_view() : url.substr(question + 1);

  options out;
  // sqlite:///var/x.db, as other tools write it, means /var/x.db.
  if (path.substr(0, 3) == "///") path.remove_prefix(2);
  if (path.substr(0, 2) == "//") return bad_url("A SQLite URL names a file, not a host.");
  if (path == ":memory:") {
    out.in_memory = true;
  } else {
    auto decoded = decode_percent(path);
    if (!decoded) return bad_url("The path has a % that is not followed by two hexadecimal digits.");
    if (decoded->empty()) return bad_url("The URL names no file.");
    out.path = std::move(*decoded);
  }
  while (const auto option = data::take_option(query)) {
    const auto& [name, text] = *option;
    if (std::find(std::begin(option_names), std::end(option_names), name) == std::end(option_names))
      return bad_url(data::no_such_option(name, option_names));
    if (const auto expected = set_option(name, text, out); !expected.empty())
      return bad_url("The option \"" + std::string(name) + "\" takes " + expected + ".");
  }
  return out;
}

}  // namespace corbel::sqlite
