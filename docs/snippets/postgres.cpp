#include <doctest/doctest.h>
#include <corbel/data/pipeline.hpp>
#include <corbel/data/postgres/database.hpp>
#include <corbel/data/postgres/errors.hpp>
#include <corbel/data/postgres/postgres.hpp>
#include <corbel/data/sqlite/sqlite.hpp>
#include <corbel/testing/database.hpp>
#include <corbel/testing/postgres.hpp>
#include <corbel/testing/run.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace corbel;

namespace {

task<void> prepare(data::database db) {
  co_await db.execute(
      "create table accounts (id int primary key, owner text not null, cents bigint not null check (cents >= "
      "0))");
  co_await db.execute("insert into accounts values (1, 'ada', 1000), (2, 'bob', 500)");
  co_await db.execute("create table corbel_idempotency_keys (key text primary key, attempt text not null)");
}

// region: pipeline
struct account {
  int id = 0;
  std::string owner;
  std::int64_t cents = 0;
};
constexpr auto describe(corbel::tag<account>) {
  using namespace corbel::rules;
  return object(field("id", &account::id), field("owner", &account::owner), field("cents", &account::cents));
}

task<std::pair<account, std::int64_t>> overview(data::database db, int id) {
  data::pipeline both(db);
  const auto found = both.query_one<account>("select id, owner, cents from accounts where id = $1", id);
  const auto total = both.query_one<std::int64_t>("select count(*) from accounts");
  co_await both.run();  // one round trip
  co_return std::pair(found.get().value_or(account()), total.get().value_or(0));
}

task<std::vector<std::optional<account>>> several(data::database db, std::vector<int> ids) {
  co_return co_await db.query_one_each<account>("select id, owner, cents from accounts where id = $1", ids);
}
// end: pipeline

// region: transfer
task<result<void>> transfer(data::transaction& tx, int from, int to, std::int64_t cents) {
  const auto left = co_await tx.query_one<std::int64_t>("select cents from accounts where id = $1", from);
  if (!left || *left < cents) co_return unprocessable("There is not enough on the account.", "no_cover");
  co_await tx.execute("update accounts set cents = cents - $1 where id = $2", cents, from);
  co_await tx.execute("update accounts set cents = cents + $1 where id = $2", cents, to);
  co_return result<void>();
}

task<result<void>> pay(data::database db, std::string key, int from, int to, std::int64_t cents) {
  const auto how = data::serializable().retry(5).once_for(std::move(key));
  co_return co_await db.transact(how, &transfer, from, to, cents);
}
// end: transfer

// region: acting
task<std::vector<std::string>> my_notes(postgres::database pg, std::string user) {
  const auto mine = pg.as(postgres::identity("app_user").claims(R"({"sub":")" + user + R"("})"));
  co_return co_await mine.query<std::string>("select body from notes order by body");
}
// end: acting

task<void> prepare_notes(data::database db) {
  co_await db.execute("do $$ begin create role app_user; exception when duplicate_object then null; end $$");
  // region: policy
  co_await db.execute("create table notes (owner text not null, body text not null)");
  co_await db.execute("alter table notes enable row level security");
  co_await db.execute(
      "create policy own_notes on notes to app_user "
      "using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub')");
  co_await db.execute("grant select, insert on notes to app_user");
  // end: policy
  co_await db.execute("insert into notes values ('ada', 'engines'), ('bob', 'birds')");
}

// region: replicas
task<std::optional<account>> write_and_read(postgres::database pg, int id, std::int64_t cents) {
  co_await pg.execute("update accounts set cents = $1 where id = $2", cents, id);
  postgres::read_policy mine;
  mine.after = co_await pg.position();  // to_text(...) fits into a cookie
  co_return co_await pg.replicas(mine).query_one<account>(
      "select id, owner, cents from accounts where id = $1", id);
}
// end: replicas

// region: report
std::string what_the_server_said(const error& e) {
  const auto* said = postgres::report_of(e);
  return said ? said->sql_state + ": " + said->message : "nothing";
}
// end: report

}  // namespace

TEST_CASE("what the page on Postgres shows") {
  const testing::temporary_postgres own;
  const auto db = *own;
  const postgres::database pg(db);
  testing::run(prepare(db));
  CHECK(testing::run(overview(db, 1)).second == 2);
  CHECK(testing::run(several(db, {1, 2, 3})).size() == 3);
  CHECK(testing::run(pay(db, "a", 1, 2, 300)));
  CHECK_THROWS_AS((void)testing::run(pay(db, "a", 1, 2, 300)), failure);
  CHECK_FALSE(testing::run(pay(db, "b", 1, 2, 3000)));
  testing::run(prepare_notes(db));
  CHECK(testing::run(my_notes(pg, "ada")) == std::vector<std::string>{"engines"});
  CHECK(testing::run(write_and_read(pg, 1, 42))->cents == 42);
  try {
    testing::run(db.execute("select nothing"));
  } catch (const failure& f) {
    CHECK(what_the_server_said(f.error()).substr(0, 5) == "42703");
  }
}

TEST_CASE("what needs Postgres says so at the start") {
  const testing::temporary_database sqlite;
  CHECK_THROWS_AS(postgres::database{*sqlite}, failure);
}
