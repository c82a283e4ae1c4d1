// What the driver does with another major version than that of Debian 12: a little of each kind.

#include "corbel/data/pipeline.hpp"
#include "corbel/data/transaction_options.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "vector_server.hpp"

namespace {

struct pair {
  std::int64_t id = 0;
  std::string name;
  friend bool operator==(const pair&, const pair&) = default;
};
constexpr auto describe(corbel::tag<pair>) {
  using namespace corbel::rules;
  return object(field("id", &pair::id), field("name", &pair::name));
}

task<void> add(data::transaction& tx, int n) {
  const auto sum = co_await tx.query_one<int>("select coalesce(sum(n), 0)::int from numbers");
  co_await tx.execute("insert into numbers values ($1, $2)", n, *sum + 1);
}
task<void> add_safely(data::database db, int n) {
  co_await db.transact(data::serializable().retry(50), &add, n);
}
task<void> add_and_fail(data::transaction& tx) {
  co_await tx.execute("insert into numbers values (1000, 0)");
  co_await tx.execute("insert into numbers values (1, 0)");
}

task<void> pipelines(data::database db) {
  data::pipeline all(db);
  const auto made = all.execute("insert into numbers values (1, 1)");
  const auto twice = all.execute("insert into numbers values (1, 1)");
  const auto text = all.query_one<std::string>("select $1::text", "\xc3\xa4");
  co_await all.run();
  CHECK(made.get() == 1);
  CHECK_THROWS_AS(twice.get(), corbel::failure);
  CHECK(text.get() == "\xc3\xa4");
}

task<void> listening(postgres::database pg) {
  auto said = co_await pg.listen("news");
  co_await pg.notify("news", "first");
  co_await pg.notify("news", "second");
  for (const auto* expected : {"first", "second"}) {
    const auto heard = co_await said.next();
    REQUIRE(std::holds_alternative<postgres::notification>(heard));
    CHECK(std::get<postgres::notification>(heard).payload == expected);
  }
}

task<void> copying(postgres::database pg) {
  std::vector<pair> all;
  for (int n = 0; n < 5000; ++n) all.push_back({n, "a\tb\\" + std::to_string(n)});
  CHECK(co_await pg.copy_in("pairs", all) == 5000);
  auto rows = co_await pg.copy_out<pair>("select * from pairs order by id");
  std::vector<pair> back;
  while (auto one = co_await rows.next()) back.push_back(std::move(*one));
  CHECK(back == all);
}

}  // namespace

TEST_CASE("Postgres 16 is driven as Postgres 15 is") {
  const vector_server db("connections=4");
  REQUIRE(one<int>(*db, "select current_setting('server_version_num')::int / 10000") == 16);
  run(db->execute("create table numbers (id int primary key, n int not null)"));
  run(db->execute("create table pairs (id bigint primary key, name text)"));
  run(pipelines(*db));
  run(listening(*db));
  run(copying(*db));

  side_by_side users;
  for (int n = 2; n < 22; ++n) users.start(add_safely(*db, n));
  users.run();
  // Each saw all those before it, as if they had come one by one.
  CHECK(one<std::int64_t>(*db, "select max(n) from numbers") == 1 << 20);
  CHECK(failure_of(db->transact(&add_and_fail)).code() == "unique_violation");
  CHECK(one<int>(*db, "select count(*) from numbers") == 21);

  auto& slow = users.start([](data::database on) -> task<void> {
    (void)co_await on.query<std::string>("select pg_sleep(60)::text");
  }(*db));
  users.run_for(100ms);
  slow.stop();
  users.run();
  CHECK(slow.cancelled());
  // The server was told, too.
  bool left = true;
  for (int tries = 0; left && tries < 500; ++tries) {
    left = one<int>(*db,
                    "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = "
                    "'active' and pid <> pg_backend_pid()") != 0;
    users.run_for(10ms);
  }
  CHECK_FALSE(left);
  CHECK(failure_of(db->execute("insert into numbers values ($1, null)", 5000)).code() ==
        "not_null_violation");
}
