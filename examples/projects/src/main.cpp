#include <cstdio>
#include <exception>

#include <corbel/app/app.hpp>
#include <corbel/app/settings.hpp>
#include <corbel/data/migration_command.hpp>
#include <corbel/data/postgres/postgres.hpp>
#include <corbel/data/sqlite/sqlite.hpp>

#include "service.hpp"
#include "settings.hpp"

namespace {

void say_what_to_try(const std::string& url) {
  std::printf(
      "\nThe projects API listens on %s. Try:\n\n"
      "  curl -i %s/api/v1/projects --json '{\"name\":\"Apollo\",\"priority\":3}'\n"
      "  curl -s '%s/api/v1/projects?status=active&sort=createdAt:desc'\n"
      "  curl -s %s/health\n\n",
      url.c_str(), url.c_str(), url.c_str(), url.c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  const auto settings = corbel::settings::from_environment<service_settings>();
  const auto log = corbel::log_to_stderr({.level = settings.log_level});
  const auto db = corbel::data::connect(settings.database_url,
                                        {corbel::sqlite::driver(), corbel::postgres::driver()}, log);
  if (const auto done = corbel::data::migration_command(db, schema_of(db), argc, argv)) return *done;
  if (argc > 1) {
    std::fprintf(stderr, "projects: \"%s\" is no command. There is migrate; without one, it serves.\n",
                 argv[1]);
    return 64;
  }

  corbel::app server({.server = settings, .version = "1.0.0", .log = log});
  add_service(server, db);
  server.on_listening(&say_what_to_try);
  return server.run();
} catch (const std::exception& why) {
  std::fprintf(stderr, "projects: %s\n", why.what());
  return 1;
}
