// The usual way, to compare with: pqxx_server --port N [--pool N]
//
// The routes of the database scenarios behind the same HTTP, middleware and JSON as bench_server's, but by
// libpqxx: each request takes a thread of a pool, which blocks on a connection of its own with statements
// prepared once.
#include <algorithm>
#include <charconv>
#include <corbel/corbel.hpp>
#include <corbel/runtime/blocking_pool.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <pqxx/pqxx>
#include <string_view>
#include <vector>

#include "service/database_rows.hpp"

namespace {

using corbel::state;
using corbel::task;

/// Where the pool's threads connect to; set before the first of them does.
const char* database_url = nullptr;  // NOLINT: of the program

pqxx::connection& connection_of_thread() {
  thread_local const auto connection = [] {
    auto made = std::make_unique<pqxx::connection>(database_url);
    made->prepare("world", "select id, randomnumber from world where id = $1");
    made->prepare("fortunes", "select id, message from fortune");
    return made;
  }();
  return *connection;
}

world_row fetch_world(pqxx::nontransaction& on) {
  const auto row = on.exec_prepared1("world", random_id());
  return {row[0].as<std::int32_t>(), row[1].as<std::int32_t>()};
}

world_row read_world() {
  pqxx::nontransaction on(connection_of_thread());
  return fetch_world(on);
}

std::vector<world_row> read_worlds(std::size_t count) {
  pqxx::nontransaction on(connection_of_thread());
  std::vector<world_row> rows(count);
  std::generate(rows.begin(), rows.end(), [&] { return fetch_world(on); });
  return rows;
}

std::vector<fortune_row> read_fortunes() {
  pqxx::nontransaction on(connection_of_thread());
  const auto found = on.exec_prepared("fortunes");
  std::vector<fortune_row> rows;
  rows.reserve(static_cast<std::size_t>(found.size()));
  for (const auto& row : found) rows.push_back({row[0].as<std::int32_t>(), row[1].as<std::string>()});
  sort_by_message(rows);
  return rows;
}

task<world_row> one_world(state<corbel::blocking_pool> pool) {
  co_return co_await pool->run(&read_world);
}

task<std::vector<world_row>> some_worlds(corbel::query<how_many> asked, state<corbel::blocking_pool> pool) {
  co_return co_await pool->run(&read_worlds, asked->count());
}

task<std::vector<fortune_row>> fortunes(state<corbel::blocking_pool> pool) {
  co_return co_await pool->run(&read_fortunes);
}

}  // namespace

int main(int argc, char** argv) {
  corbel::app_settings settings;
  settings.server.port = 18083;
  settings.server.threads = 1;
  std::size_t threads = 8;
  const auto number = [](const char* text, auto& into) {
    std::from_chars(text, text + std::strlen(text), into);
  };
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) == "--port") number(argv[i + 1], settings.server.port);
    if (std::string_view(argv[i]) == "--pool") number(argv[i + 1], threads);
  }
  database_url = std::getenv("DATABASE_URL");
  if (!database_url || threads == 0) {
    std::fprintf(stderr, "pqxx_server: it takes DATABASE_URL and one thread at least\n");
    return 64;
  }
  // Nobody is turned away: a run counts only when every reply is right.
  settings.server.shed_load = false;
  corbel::blocking_pool pool(threads, 10'000);
  corbel::app server(std::move(settings));
  server.provide(pool);
  server.get("/db", &one_world);
  server.get("/queries", &some_worlds);
  server.get("/fortunes", &fortunes);
  return server.run();
}
