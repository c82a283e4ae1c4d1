#include "project_repository.hpp"

#include <corbel/data/postgres/database.hpp>

using namespace corbel;

namespace {

task<std::vector<project_hit>> search_index(postgres::database pg, std::string words) {
  auto found = co_await pg.search<project>(postgres::text_search(std::move(words))
                                               .in_language("simple")  // as the column `search` was made
                                               .excerpt_of("description"));
  std::vector<project_hit> hits;
  for (auto& one : found) hits.push_back({std::move(one.row), std::move(one.highlight)});
  co_return hits;
}

task<std::vector<project_hit>> search_text(data::database db, std::string words) {
  auto found = co_await db.query<project>(
      "select id, name, description, status, priority, tags, due_date, created_at, updated_at from projects "
      "where instr(lower(name || ' ' || coalesce(description, '')), lower($1)) > 0 "
      "order by created_at desc, id desc limit 20",
      words);
  std::vector<project_hit> hits;
  for (auto& one : found) hits.push_back({std::move(one), std::nullopt});
  co_return hits;
}

}  // namespace

task<std::vector<project_hit>> project_repository::search(std::string words) const {
  if (db_.language().name == "postgres") return search_index(postgres::database(db_), std::move(words));
  return search_text(db_, std::move(words));
}
