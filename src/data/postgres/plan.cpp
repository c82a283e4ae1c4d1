#include "data/postgres/plan.hpp"

#include <algorithm>

#include "data/sql_words.hpp"

namespace corbel::postgres {
namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return data::is_word(word, w); });
}

}  // namespace

statement_kind classify(std::string_view sql) {
  statement_kind kind;
  auto rest = sql;
  const auto first = data::next_word(rest);
  const bool to_savepoint = [&] {
    if (!data::is_word(first, "rollback")) return false;
    auto behind = rest;
    auto word = data::next_word(behind);
    if (is_one_of(word, {"work", "transaction"})) word = data::next_word(behind);
    return data::is_word(word, "to");
  }();
  kind.controls_savepoint = to_savepoint || is_one_of(first, {"savepoint", "release"});
  kind.controls_transaction =
      !to_savepoint && is_one_of(first, {"begin", "start", "commit", "end", "abort", "rollback"});
  if (data::is_word(first, "prepare")) {
    auto behind = rest;
    kind.controls_transaction = data::is_word(data::next_word(behind), "transaction");
  }
  kind.leaves_state = is_one_of(first, {"set", "reset", "listen", "unlisten", "declare", "prepare", "load",
                                        "do", "call", "discard", "deallocate"});
  kind.only_reads = is_one_of(first, {"select", "values", "show", "table", "with"});
  for (auto word = data::next_word(rest); !word.empty(); word = data::next_word(rest)) {
    if (is_one_of(word, {"set_config", "temp", "temporary", "pg_advisory_lock", "pg_advisory_lock_shared",
                         "pg_try_advisory_lock", "pg_try_advisory_lock_shared"}))
      kind.leaves_state = true;
    if (is_one_of(word, {"insert", "update", "delete", "merge"}) && kind.only_reads) kind.only_reads = false;
  }
  return kind;
}

plan_ptr plan_cache::find(std::string_view text) {
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
    if (at->use_count() > 1 || at == recent_.begin()) continue;
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
