#include "service.hpp"

#include <corbel/data/migrations.hpp>
#include <corbel/middleware/access_log.hpp>

#include "embedded/migrations.hpp"
#include "project_routes.hpp"
#include "project_service.hpp"
#include "task_routes.hpp"
#include "task_service.hpp"

using namespace corbel;

namespace {

/// Parameters by value: they have to live as long as the coroutine.
task<> migrate(data::database db, logger log) {
  auto applied = co_await data::migrate(db, schema_of(db));
  for (const auto& each : applied.value()) log.info("migrated", {{"file", each.file()}});
}

task<> stop(data::database db) {
  db.stop();
  co_return;
}

task<bool> answers(data::database db) {
  co_await db.ping();
  co_return true;
}

}  // namespace

const data::migration_set& schema_of(const data::database& db) {
  return embedded::migrations(db.language());
}

void add_service(app& server, data::database db) {
  server.component(
      "database", [db, log = server.log()] { return migrate(db, log); }, [db] { return stop(db); });
  server.health().add("database", [db] { return answers(db); });

  server.provide(create_project_service(db, server.clock()));
  server.provide(create_task_service(db, server.clock()));

  server.use(access_log{});
  const auto api = server.group("/api/v1");
  add_project_routes(api);
  add_task_routes(api);
}
