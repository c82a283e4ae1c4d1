// A statement that fails becomes an answer that a client can act on, and that betrays nothing.

#include <doctest/doctest.h>

#include <map>

#include "corbel/corbel.hpp"
#include "data/postgres/support/tasks.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

using corbel::state;

/// A server-side block that fails as it is told.
task<std::string> fails(corbel::path<std::string, "state"> sql_state, state<data::database> db) {
  co_await db->execute(data::trusted("do $$ begin raise exception using errcode = '" + *sql_state +
                                     "', message = 'secret message', detail = 'secret detail', hint = "
                                     "'secret hint'; end $$"));
  co_return "it did not fail";
}

task<std::string> does(corbel::path<std::string, "what"> what, state<data::database> db) {
  static const std::map<std::string, std::string> statements{
      {"unique", "insert into people (id, mail) values (1, 'secret@example.org')"},
      {"foreign", "insert into people (id, boss) values (2, 4711)"},
      {"check", "insert into people (id, age) values (3, 4711)"},
      {"null", "insert into people (id, mail) values (4, null)"},
      {"number", "select 'secret'::int"},
      {"syntax", "selct secret"},
      {"late", "select pg_sleep(30)"},
  };
  co_await db->execute(data::trusted(statements.at(*what)));
  co_return "it did not fail";
}

struct served {
  served() : own("statement_timeout=300ms") {
    run(
        own->execute("create table people (id int primary key, mail text not null default '', age int check "
                     "(age < 200), boss int references people)"));
    run(own->execute("create unique index on people (mail) where mail <> ''"));
    run(own->execute("insert into people values (0, 'secret@example.org', 1, null)"));
  }
  wire::reply ask(const std::string& path) {
    auto got = wire::client(server.port()).ask(wire::get(path));
    REQUIRE(got.has_value());
    for (const char* betrayed : {"secret", "4711", "people", "insert", "select"})
      CHECK_MESSAGE(got->body.find(betrayed) == std::string::npos, got->body);
    return *got;
  }

  temporary_postgres own;
  running server{[](corbel::route_group routes) {
                   routes.get("/fails/:state", &fails);
                   routes.get("/does/:what", &does);
                 },
                 {},
                 1,
                 5000ms,
                 [this](corbel::services& all) { all.provide(std::make_shared<data::database>(*own)); }};
};

}  // namespace

TEST_CASE("each class of SQLSTATE has its status, and what may work later says when") {
  served here;
  struct row {
    const char* state;
    int code;
    const char* error_code;
  };
  for (const row& one : {row{"23505", 409, "unique_violation"}, row{"23503", 409, "foreign_key_violation"},
                         row{"23514", 422, "check_violation"}, row{"23502", 422, "not_null_violation"},
                         row{"22003", 400, "invalid_value"}, row{"22P02", 400, "invalid_value"},
                         row{"57014", 504, "statement_cancelled"}, row{"08006", 503, "database_unavailable"},
                         row{"53100", 503, "storage_full"}, row{"53200", 503, "database_unavailable"},
                         row{"53300", 503, "database_unavailable"}, row{"57P03", 503, "database_unavailable"},
                         row{"40001", 503, "transaction_conflict"}, row{"42P01", 500, "internal_error"},
                         row{"XX000", 500, "internal_error"}}) {
    CAPTURE(one.state);
    const auto got = here.ask(std::string("/fails/") + one.state);
    CHECK(got.code == one.code);
    CHECK(got.error_code() == one.error_code);
    const auto later = got.header("Retry-After");
    CHECK(later.has_value() == (one.code == 503));
    if (later) CHECK(std::stoi(*later) > 0);
  }
}

TEST_CASE("what real statements break is said, with the field, and without what was in it") {
  served here;
  const auto ask = [&](const char* what) { return here.ask(std::string("/does/") + what); };
  const auto unique = ask("unique");
  CHECK(unique.code == 409);
  CHECK(unique.body.find("\"field\":\"mail\"") != std::string::npos);
  const auto foreign = ask("foreign");
  CHECK(foreign.code == 409);
  CHECK(foreign.error_code() == "foreign_key_violation");
  CHECK(foreign.body.find("\"field\":\"boss\"") != std::string::npos);
  const auto check = ask("check");
  CHECK(check.code == 422);
  CHECK(check.error_code() == "check_violation");
  const auto null = ask("null");
  CHECK(null.code == 422);
  CHECK(null.body.find("mail") != std::string::npos);
  CHECK(ask("number").code == 400);
  CHECK(ask("syntax").code == 500);
  const auto late = ask("late");
  CHECK(late.code == 504);
  CHECK(late.error_code() == "statement_cancelled");
}
