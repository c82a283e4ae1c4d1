// Who acts as somebody finds the names, and has the rights, that somebody has: not those of the role that
// logs in.

#include "corbel/data/postgres/errors.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

/// A schema that `reader` alone may use, and two that have a table of the same name. Roles are the cluster's.
struct rooms {
  rooms() {
    for (const auto& role : {login, reader}) run(own->execute(data::trusted("create role " + role)));
    const std::string scripts[] = {
        "alter role " + login + " login noinherit",
        "grant " + reader + " to " + login,
        "create schema api",
        "create table api.notes (body text)",
        "insert into api.notes values ('of the api')",
        "grant usage on schema api to " + reader,
        "grant select on api.notes to " + reader,
        "create schema a",
        "create table a.things (name text)",
        "insert into a.things values ('a')",
        "create schema b",
        "create table b.things (name text, more integer)",
        "insert into b.things values ('b')",
        "grant usage on schema a, b to " + reader,
        "grant select on a.things, b.things to " + reader,
    };
    for (const auto& sql : scripts) run(own->execute(data::trusted(sql)));
  }
  ~rooms() {
    for (const auto& role : {reader, login}) {
      run(own->execute(data::trusted("drop owned by " + role)));
      run(own->execute(data::trusted("drop role " + role)));
    }
  }
  data::database as_login(const std::string& options) const {
    auto url = own.url();
    const auto at = url.find("://") + 3;
    url.replace(at, url.find('@') - at, login);
    return postgres::open(url + "?" + options);
  }
  temporary_postgres own;
  const std::string suffix = own.url().substr(own.url().rfind('_') + 1);
  const std::string login = "login_" + suffix;
  const std::string reader = "reader_" + suffix;
};

}  // namespace

TEST_CASE("names are found with the rights of whom one acts as") {
  const rooms all_of;
  const auto db = all_of.as_login("connections=1");
  const postgres::database pg(db);
  CHECK(failure_of(db.query<std::string>("select body from api.notes")).kind() == error_kind::internal);
  const auto reader = pg.as(postgres::identity(all_of.reader));
  CHECK(run(reader.query_one<std::string>("select body from api.notes")) == "of the api");
  CHECK(run(reader.query_one<std::string>("select body || '' from api.notes")) == "of the api");
  // The same text for somebody without the rights, beside one who has them.
  side_by_side all;
  std::optional<std::string> got;
  const auto ask = [](data::source from, std::optional<std::string>* into) -> task<void> {
    const auto found = co_await from.query_one<std::string>("select upper(body) from api.notes");
    if (into) *into = found;
  };
  auto& denied = all.start(ask(pg.as(postgres::identity(all_of.login)), nullptr));
  auto& allowed = all.start(ask(reader, &got));
  all.run();
  CHECK(denied.failed()->code() == "row_denied");
  if (const auto failed = allowed.failed()) FAIL_CHECK(failed->cause());
  CHECK(got == "OF THE API");
  // In a transaction, too, from its first statement on.
  run([](data::source from) -> task<void> {
    auto tx = co_await from.begin();
    CHECK(co_await tx.query_one<std::string>("select lower(body) from api.notes") == "of the api");
    co_await tx.commit();
  }(reader));
  db.stop();
}

TEST_CASE("a search path of an identity's own leads to its own tables") {
  const rooms all_of;
  const auto db = all_of.as_login("connections=1");
  const postgres::database pg(db);
  const auto in = [&](const char* schema) {
    return pg.as(postgres::identity(all_of.reader).set("search_path", schema));
  };
  for (int round = 0; round < 3; ++round)
    for (const char* schema : {"a", "b"})
      CHECK(run(in(schema).query_one<std::string>("select name from things")) == schema);
  CHECK(failure_of(db.query<std::string>("select name from things")).kind() == error_kind::internal);
  db.stop();
}

TEST_CASE("an identity that cannot be written is an error of its own, and the next one is none") {
  const temporary_postgres own("connections=1");
  const postgres::database pg(*own);
  const auto as = [&](std::string who) {
    return pg.as(postgres::identity().set("app.user", std::move(who)));
  };
  for (int round = 0; round < 2; ++round) {
    const auto refused =
        failure_of(as(std::string("a\0b", 3)).query_one<std::string>("select current_setting('app.user')"));
    CHECK(refused.code() == "nul_in_text");
    CHECK(run(as("c").query_one<std::string>("select current_setting('app.user')")) == "c");
  }
}
