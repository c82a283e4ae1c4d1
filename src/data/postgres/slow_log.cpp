#include "data/postgres/slow_log.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "corbel/data/codec.hpp"
#include "corbel/data/sql.hpp"
#include "data/sql_tokens.hpp"

namespace corbel::postgres {

using namespace std::chrono_literals;

namespace {

/// Plans cost the server something, and one a second tells enough.
constexpr steady::duration between_plans = 1s;

/// Others would be run by EXPLAIN, or are not taken by it.
bool has_a_plan(std::string_view sql) {
  data::detail::sql_tokens tokens(sql);
  for (;;) {
    const auto token = tokens.next();
    if (!token) return false;
    if (token->is != data::detail::sql_token::kind::word) continue;
    return token->is_word("select") || token->is_word("with") || token->is_word("insert") ||
           token->is_word("update") || token->is_word("delete") || token->is_word("merge") ||
           token->is_word("values");
  }
}

bool is_word_char(char c) {
  return data::detail::begins_word(c) || data::detail::is_digit(c);
}

/// `(name = 'x'::text) AND (n > 5)` is `(name = '?'::text) AND (n > ?)`.
std::string masked(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {  // a name
      const auto end = std::min(data::detail::skip_quoted(text, at, false), text.size());
      out += text.substr(at, end - at);
      at = end;
    } else if (text[at] == '\'') {
      const bool escapes = at > 0 && (text[at - 1] == 'E' || text[at - 1] == 'e');
      at = std::min(data::detail::skip_quoted(text, at, escapes), text.size());
      out += "'?'";
    } else if (data::detail::is_digit(text[at]) && (at == 0 || !is_word_char(text[at - 1]))) {
      while (at < text.size() && (is_word_char(text[at]) || text[at] == '.')) ++at;
      out += '?';
    } else {
      out += text[at++];
    }
  }
  return out;
}

void mask_all(nlohmann::json& in) {
  if (in.is_string())
    in = masked(in.get_ref<const std::string&>());
  else if (in.is_structured())
    for (auto& each : in) mask_all(each);
}

}  // namespace

slow_statement::slow_statement(const call& what, steady::duration time)
    : sql(what.what.text()),
      took(time),
      // Somebody else's plan may be another one, and is theirs.
      can_be_explained(!what.acts && !what.when_done && has_a_plan(sql)) {
  if (can_be_explained) values = what.what.owned_parameters();
}

std::string without_values(std::string_view plan) {
  auto all = nlohmann::json::parse(plan, nullptr, false);
  if (all.is_discarded()) return {};
  mask_all(all);
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_slow(const logger& to, const slow_statement& what, std::string_view plan) {
  if (plan.empty())
    to.warn("slow statement", {{"durationMs", what.took}, {"sql", what.sql}});
  else
    to.warn("slow statement", {{"durationMs", what.took}, {"sql", what.sql}, {"plan", plan}});
}

bool may_explain(std::atomic<steady::rep>& last_plan) {
  const auto now = steady::now().time_since_epoch().count();
  auto last = last_plan.load(std::memory_order_relaxed);
  if (now - last < between_plans.count()) return false;
  return last_plan.compare_exchange_strong(last, now, std::memory_order_relaxed);
}

call_ptr plan_of(std::unique_ptr<slow_statement> what, const logger& log) {
  auto values = std::move(what->values);
  call_ptr ask(new call(data::statement::owning("explain (format json) " + what->sql, std::move(values))));
  const std::shared_ptr<const slow_statement> kept = std::move(what);
  ask->when_done = [log, kept](call& ended) {
    std::string plan;
    if (ended.result && ended.result->row_count() == 1)
      plan = without_values(data::one_as<std::string>(*ended.result).value_or(""));
    write_slow(log, *kept, plan);
  };
  return ask;
}

}  // namespace corbel::postgres
