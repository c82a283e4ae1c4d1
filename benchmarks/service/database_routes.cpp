#include "service/database_routes.hpp"

#include <corbel/corbel.hpp>
#include <corbel/data/database.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "service/database_rows.hpp"

namespace {

using corbel::state;
using corbel::task;
using corbel::data::database;

corbel::error lost_row() {
  return corbel::error(corbel::error_kind::internal, "row_missing",
                       "the table world has not the rows that benchmarks/database.sql puts there");
}

task<world_row> one_world(state<database> db) {
  const auto found = co_await db->query_one<world_row>(
      "select id, randomnumber as random_number from world where id = $1", random_id());
  if (!found) throw corbel::failure(lost_row());
  co_return *found;
}

task<std::vector<world_row>> some_worlds(corbel::query<how_many> asked, state<database> db) {
  std::vector<std::int32_t> ids(asked->count());
  for (auto& id : ids) id = random_id();
  const auto found = co_await db->query_one_each<world_row>(
      "select id, randomnumber as random_number from world where id = $1", ids);
  std::vector<world_row> rows;
  rows.reserve(found.size());
  for (const auto& each : found) {
    if (!each) throw corbel::failure(lost_row());
    rows.push_back(*each);
  }
  co_return rows;
}

task<std::vector<fortune_row>> fortunes(state<database> db) {
  auto rows = co_await db->query<fortune_row>("select id, message from fortune");
  sort_by_message(rows);
  co_return rows;
}

}  // namespace

void add_database_routes(corbel::route_group root) {
  root.get("/db", &one_world);
  root.get("/queries", &some_worlds);
  root.get("/fortunes", &fortunes);
}
