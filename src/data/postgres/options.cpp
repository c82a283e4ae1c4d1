#include <charconv>
#include <optional>

#include "corbel/data/postgres/postgres.hpp"

namespace corbel::postgres {
namespace {

using std::chrono::milliseconds;

error bad_option(std::string_view name, std::string_view expected) {
  return {
      error_kind::invalid, "bad_database_url",
      "The option \"" + std::string(name) + "\" of the database URL takes " + std::string(expected) + "."};
}

std::optional<std::uint64_t> number(std::string_view text, std::string_view* rest = nullptr) {
  std::uint64_t n = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (wrong != std::errc{}) return {};
  if (rest)
    *rest = text.substr(static_cast<std::size_t>(end - text.data()));
  else if (end != text.data() + text.size())
    return {};
  return n;
}

std::optional<milliseconds> duration(std::string_view text) {
  std::string_view unit;
  const auto n = number(text, &unit);
  constexpr std::uint64_t one_day = 86'400'000;
  const std::uint64_t scale = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : 0;
  if (!n || (scale == 0 && *n != 0) || *n > one_day || *n * scale > one_day) return {};
  return milliseconds(*n * scale);
}

struct count_option {
  std::string_view name;
  std::size_t options::*member;
  std::size_t low;
  std::size_t high;
};
constexpr count_option counts[] = {
    {"connections", &options::connections, 1, 256},
    {"pipeline", &options::pipeline, 1, 1024},
    {"most_waiting", &options::most_waiting, 0, 10'000'000},
    {"statement_cache", &options::statement_cache, 1, 10'000},
    {"most_result", &options::most_result, 1024, std::size_t{3} << 30},
    {"threads", &options::threads, 1, 64},
};

struct duration_option {
  std::string_view name;
  milliseconds options::*member;
};
constexpr duration_option durations[] = {
    {"checkout_timeout", &options::checkout_timeout},
    {"statement_timeout", &options::statement_timeout},
    {"idle_in_transaction_timeout", &options::idle_in_transaction_timeout},
    {"max_lifetime", &options::max_lifetime},
    {"slow_query", &options::slow_query},
};

enum class taken : unsigned char { yes, not_ours };

result<taken> set_option(std::string_view name, std::string_view text, options& out) {
  for (const auto& one : counts) {
    if (name != one.name) continue;
    const auto n = number(text);
    if (!n || *n < one.low || *n > one.high)
      return bad_option(name, "a number from " + std::to_string(one.low) + " to " + std::to_string(one.high));
    out.*one.member = *n;
    return taken::yes;
  }
  for (const auto& one : durations) {
    if (name != one.name) continue;
    const auto d = duration(text);
    if (!d) return bad_option(name, "a duration up to 24 h, such as 250ms, 5s or 1m");
    out.*one.member = *d;
    return taken::yes;
  }
  if (name == "pooler") {
    if (text != "none" && text != "transaction") return bad_option(name, "none or transaction");
    out.transaction_pooler = text == "transaction";
    return taken::yes;
  }
  if (name == "connect_timeout") {
    const auto seconds = number(text);
    if (!seconds || *seconds > 3600)
      return bad_option(name, "a number of seconds, at most 3600, as libpq has it");
    out.connect_timeout = std::chrono::seconds(*seconds);
  }
  return taken::not_ours;
}

}  // namespace

result<options> parse_url(std::string_view url) {
  options out;
  if (!url.starts_with("postgres://") && !url.starts_with("postgresql://"))
    return error(
        error_kind::invalid, "bad_database_url",
        "This is no Postgres URL. Write postgres://user:password@host:5432/name, with options such as "
        "?connections=8&sslmode=verify-full.");
  const auto question = url.find('?');
  out.connection = url.substr(0, question);
  auto query = question == std::string_view::npos ? std::string_view() : url.substr(question + 1);
  char separator = '?';
  while (!query.empty()) {
    const auto ampersand = query.find('&');
    const auto pair = query.substr(0, ampersand);
    query = ampersand == std::string_view::npos ? std::string_view() : query.substr(ampersand + 1);
    const auto equals = pair.find('=');
    const auto name = pair.substr(0, equals);
    const auto text = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    const auto known = set_option(name, text, out);
    if (!known) return known.error();
    if (*known == taken::yes) continue;
    out.connection += separator;
    out.connection += pair;
    separator = '&';
  }
  return out;
}

}  // namespace corbel::postgres
