#include "data/postgres/plan.hpp"

#include <algorithm>

#include "data/sql_tokens.hpp"

namespace corbel::postgres {
namespace {

using data::detail::sql_token;

bool is_one_of(const sql_token& token, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return token.is_word(word); });
}

/// Functions may be called by a quoted name.
bool calls_one_of(const sql_token& token, std::initializer_list<std::string_view> names) {
  if (token.is != sql_token::kind::quoted_name) return is_one_of(token, names);
  return std::find(names.begin(), names.end(), token.name()) != names.end();
}

/// `rest` is a copy: nothing is taken from the reader.
bool stands_before_parenthesis(data::detail::sql_tokens rest) {
  auto token = rest.next();
  while (token && token->is == sql_token::kind::comment) token = rest.next();
  return token && token->is_symbol('(');
}

/// Words that the catalog need not be asked about: no functions, or volatile ones that change nothing.
bool is_harmless(const sql_token& word) {
  return is_one_of(word, {"in",
                          "values",
                          "as",
                          "and",
                          "or",
                          "not",
                          "any",
                          "all",
                          "exists",
                          "from",
                          "where",
                          "on",
                          "using",
                          "over",
                          "filter",
                          "coalesce",
                          "count",
                          "random",
                          "clock_timestamp",
                          "gen_random_uuid",
                          "pg_sleep"});
}

}  // namespace

statement_kind classify(std::string_view sql) {
  statement_kind kind;
  data::detail::sql_tokens tokens(sql);
  const auto next = [&]() -> sql_token {
    for (;;) {
      const auto token = tokens.next();
      if (!token) return {sql_token::kind::symbol, ";"};
      if (token->is == sql_token::kind::word || token->is == sql_token::kind::quoted_name) return *token;
    }
  };
  const auto first = next();
  auto word = next();
  if (first.is_word("rollback")) {
    if (is_one_of(word, {"work", "transaction"})) word = next();
    kind.controls_savepoint = word.is_word("to");
    kind.controls_transaction = !kind.controls_savepoint;
  }
  if (is_one_of(first, {"savepoint", "release"})) kind.controls_savepoint = true;
  if (is_one_of(first, {"begin", "start", "commit", "end", "abort"}) ||
      (first.is_word("prepare") && word.is_word("transaction")))
    kind.controls_transaction = true;
  kind.only_reads = is_one_of(first, {"select", "values", "show", "table", "with"});
  kind.leaves_state = is_one_of(first, {"set", "reset", "listen", "unlisten", "declare", "prepare", "load",
                                        "do", "call", "discard", "deallocate"});
  kind.not_undone = is_one_of(first, {"call", "do", "vacuum", "reindex", "cluster", "analyze"});
  const bool copy = first.is_word("copy");
  for (; word.text != ";"; word = next()) {
    if (calls_one_of(word, {"set_config", "temp", "temporary", "pg_temp", "pg_advisory_lock",
                            "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared",
                            "dblink_connect", "dblink_connect_u"}))
      kind.leaves_state = true;
    if (is_one_of(word, {"update", "share"})) kind.locks = true;
    if (word.is_word("concurrently")) kind.not_undone = true;
    if (copy && is_one_of(word, {"stdin", "stdout"})) kind.copies = true;
    if (is_one_of(word, {"insert", "update", "delete", "merge", "into"})) kind.only_reads = false;
    if (stands_before_parenthesis(tokens) && !is_harmless(word)) kind.calls.push_back(word.name());
  }
  return kind;
}

data::value names_of_calls(const statement_kind& kind) {
  std::string list = "{";
  for (const auto& name : kind.calls) {
    list += list.size() > 1 ? ",\"" : "\"";
    for (const char c : name) {
      if (c == '"' || c == '\\') list += '\\';
      list += c;
    }
    list += '"';
  }
  return list + "}";
}

plan_ptr plan_cache::find(std::string_view text) {
  if (!recent_.empty() && recent_.front()->text == text) return recent_.front();
  const auto known = by_text_.find(text);
  if (known == by_text_.end()) return {};
  recent_.splice(recent_.begin(), recent_, known->second);
  return recent_.front();
}

std::vector<plan_ptr> plan_cache::add(plan_ptr fresh) {
  recent_.push_front(std::move(fresh));
  by_text_.emplace(recent_.front()->text, recent_.begin());
  std::vector<plan_ptr> dropped;
  for (auto at = recent_.end(); recent_.size() > most_ && at != recent_.begin();) {
    --at;
    // Whatever waits for it, or for its rows, holds it: it stays.
    if ((*at)->use_count() > 1 || at == recent_.begin()) continue;
    by_text_.erase((*at)->text);
    dropped.push_back(std::move(*at));
    at = recent_.erase(at);
  }
  return dropped;
}

void plan_cache::remove(const plan& old) {
  const auto known = by_text_.find(old.text);
  if (known == by_text_.end() || known->second->get() != &old) return;
  const auto at = known->second;
  by_text_.erase(known);
  recent_.erase(at);
}

}  // namespace corbel::postgres
