// The database goes away under a server, and comes back.

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "corbel/corbel.hpp"
#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/tasks.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

task<int> next(corbel::path<int, "n"> n, corbel::state<data::database> db) {
  co_return (co_await db->query_one<int>("select $1::int + 1", *n)).value_or(0);
}

struct tally {
  std::atomic<bool> over{false};
  std::atomic<int> answered{0};
  std::atomic<int> told_to_wait{0};
  std::atomic<int> wrong{0};
};

void keep_asking(std::uint16_t port, int first, tally* all) {
  std::optional<wire::client> c(port);
  for (int n = first; !all->over; ++n) {
    const auto got = c->ask(wire::get("/next/" + std::to_string(n)));
    if (got && got->code == 200 && got->body == std::to_string(n + 1))
      ++all->answered;
    else if (got && got->code == 503 && got->header("Retry-After"))
      ++all->told_to_wait;
    else
      ++all->wrong;
    // A connection serves some thousand requests, and says so with the last.
    if (got && got->header("Connection") == "close") c.emplace(port);
  }
}

}  // namespace

TEST_CASE("while the database is away each client hears 503 and when to come again, then answers as before") {
  own::server database;
  database.start();
  const auto db = postgres::open(database.url("connections=2&checkout_timeout=1s"));
  running server([](corbel::route_group routes) { routes.get("/next/:n", &next); }, {}, 2, 5000ms,
                 [&](corbel::services& all) { all.provide(std::make_shared<data::database>(db)); });
  tally all;
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) clients.emplace_back(&keep_asking, server.port(), i * 10'000'000, &all);
  const auto grows = [&](const std::atomic<int>& count) {
    const int before = count;
    return eventually([&] { return count > before + 20; });
  };
  auto shortest = std::chrono::steady_clock::duration::max();
  for (const int signal : {SIGINT, SIGQUIT, SIGKILL}) {
    CAPTURE(signal);
    CHECK(grows(all.answered));
    database.stop(signal);
    CHECK(grows(all.told_to_wait));
    database.start();
    const auto up = std::chrono::steady_clock::now();
    CHECK(grows(all.answered));
    shortest = std::min(shortest, std::chrono::steady_clock::now() - up);
  }
  // The machine may be busy with others, and a server that comes back with its disk: one has to be as quick.
  CHECK(shortest < 2s);
  all.over = true;
  for (auto& one : clients) one.join();
  CHECK(all.wrong == 0);
  server.drain();
  db.stop();
}
