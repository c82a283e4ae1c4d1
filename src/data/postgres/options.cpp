#include "corbel/data/postgres/postgres.hpp"
#include "data/url_query.hpp"

namespace corbel::postgres {
namespace {

using std::chrono::milliseconds;

error bad_option(std::string_view name, std::string_view expected) {
  return {
      error_kind::invalid, "bad_database_url",
      "The option \"" + std::string(name) + "\" of the database URL takes " + std::string(expected) + "."};
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
    const auto n = data::read_count(text, one.low, one.high);
    if (!n)
      return bad_option(name, "a number from " + std::to_string(one.low) + " to " + std::to_string(one.high));
    out.*one.member = *n;
    return taken::yes;
  }
  for (const auto& one : durations) {
    if (name != one.name) continue;
    const auto d = data::read_option_duration(text);
    if (!d) return bad_option(name, data::option_duration);
    out.*one.member = *d;
    return taken::yes;
  }
  if (name == "replicas") {
    for (auto rest = text; !rest.empty();) {
      const auto comma = rest.find(',');
      const auto place = rest.substr(0, comma);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      if (place.empty() || place.find('/') != std::string_view::npos)
        return bad_option(name, "servers as host or host:port, separated by commas");
      out.replicas.emplace_back(place);
    }
    return taken::yes;
  }
  if (name == "pooler") {
    if (text != "none" && text != "transaction") return bad_option(name, "none or transaction");
    out.transaction_pooler = text == "transaction";
    return taken::yes;
  }
  if (name == "connect_timeout") {
    const auto seconds = data::read_count(text, 0, 3600);
    if (!seconds) return bad_option(name, "a number of seconds, at most 3600, as libpq has it");
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
  while (const auto option = data::take_option(query)) {
    const auto& [name, text] = *option;
    const auto known = set_option(name, text, out);
    if (!known) return known.error();
    if (*known == taken::yes) continue;
    out.connection.append(1, separator).append(name).append("=").append(text);
    separator = '&';
  }
  return out;
}

}  // namespace corbel::postgres
