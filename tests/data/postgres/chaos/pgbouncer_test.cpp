// A pooler in between that gives every transaction another connection.

#include "data/postgres/support/pgbouncer.hpp"

#include <stdexcept>

#include "corbel/data/migrations.hpp"
#include "corbel/data/pipeline.hpp"
#include "corbel/data/transaction_options.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

struct behind {
  explicit behind(const std::string& options)
      : name(own.url().substr(own.url().rfind('/') + 1)),
        pooler(own.url()),
        db(postgres::open(pooler.url(name, options))) {}
  ~behind() { db.stop(); }
  const temporary_postgres own;
  const std::string name;
  const own::pgbouncer pooler;
  const data::database db;
};

task<void> add_pair(data::transaction& tx, int n) {
  co_await tx.execute("insert into numbers values ($1)", n);
  const auto mine = co_await tx.query_one<int>("select count(*) from numbers where n = $1", n);
  if (mine != 1) throw std::domain_error("a transaction does not see itself");
  co_await tx.execute("insert into numbers values ($1)", -n);
}
task<void> user(data::database db, int from, int* wrong) {
  for (int n = from; n < from + 20; ++n) {
    co_await db.transact(&add_pair, n);
    const auto got = co_await db.query_one<int>("select n from numbers where n = $1", n);
    if (got != n) ++*wrong;
    const auto refused = co_await db.query_one<int>("select $1::int", -n);
    if (refused != -n) ++*wrong;
    try {
      co_await db.execute("insert into numbers values ($1)", n);
      ++*wrong;
    } catch (const corbel::failure& f) {
      if (f.error().code() != "unique_violation") ++*wrong;
    }
  }
}

}  // namespace

TEST_CASE("64 users at once work through PgBouncer in transaction mode") {
  const behind one_pool("pooler=transaction&connections=16&checkout_timeout=20s");
  const auto& db = one_pool.db;
  run(db.execute("create table numbers (n int primary key)"));
  side_by_side all;
  int wrong = 0;
  for (int u = 0; u < 64; ++u) all.start(user(db, 1000 * (u + 1), &wrong));
  all.run();
  for (const auto& each : all.all()) {
    if (const auto failed = each.failed()) FAIL_CHECK(failed->cause());
    CHECK_FALSE(each.thrown);
  }
  CHECK(wrong == 0);
  CHECK(one<int>(*one_pool.own, "select count(*) from numbers") == 64 * 20 * 2);
}

TEST_CASE("migrations, whose lock needs a session, are refused behind PgBouncer and say why") {
  const behind one_pool("pooler=transaction");
  data::migration_set set;
  set.add("0001_a.sql", "create table a (n int);");
  CHECK(failure_of(data::migrate(one_pool.db, set)).code() == "session_needed");
  CHECK(one<int>(*one_pool.own, "select count(*) from pg_tables where tablename = 'a'") == 0);
}

TEST_CASE("identities and deadlines hold through PgBouncer") {
  const behind one_pool("pooler=transaction&connections=2&statement_timeout=300ms");
  const postgres::database db(one_pool.db);
  side_by_side all;
  int wrong = 0;
  const auto ask = [](postgres::database on, int n, int* mistaken) -> task<void> {
    const auto mine = on.as(postgres::identity().set("app.user", std::to_string(n)));
    if (co_await mine.query_one<std::string>("select current_setting('app.user', true)") != std::to_string(n))
      ++*mistaken;
  };
  const auto look = [](postgres::database on, int* mistaken) -> task<void> {
    const auto left =
        co_await on.query_one<std::string>("select coalesce(current_setting('app.user', true), '')");
    if (left != "") ++*mistaken;
  };
  for (int n = 0; n < 200; ++n) {
    all.start(ask(db, n, &wrong));
    if (n % 4 == 0) all.start(look(db, &wrong));
  }
  all.run();
  for (const auto& each : all.all()) CHECK_FALSE(each.thrown);
  CHECK(wrong == 0);
  // The server knows no limit here: we stop it ourselves.
  const auto since = std::chrono::steady_clock::now();
  const auto late = failure_of(db.query_one<data::value>("select pg_sleep(10)"));
  CHECK(late.kind() == error_kind::deadline_exceeded);
  CHECK(std::chrono::steady_clock::now() - since < 2s);
  CHECK(one<int>(*one_pool.own,
                 "select count(*) from pg_stat_activity where query like 'select pg_sleep(10)%' and "
                 "state = 'active'") == 0);
}

TEST_CASE("a table that changes is read as it is, through PgBouncer as well") {
  const behind one_pool("pooler=transaction&connections=1");
  run([](data::database db) -> task<void> {
    co_await db.execute("create table things (a int, b int)");
    co_await db.execute("insert into things values (1, 2)");
    CHECK((co_await db.query<data::value>("select * from things")).size() == 1);
    co_await db.execute("alter table things add column c bytea");
    CHECK((co_await db.query<data::value>("select * from things")).size() == 1);
    co_await db.execute("alter table things alter column a type text");
    // Its first rows may come in the old form; from then on they are read as they are.
    std::optional<data::value> got;
    for (int tries = 0; tries < 2 && !got; ++tries) {
      try {
        got = co_await db.query_one<data::value>("select * from things");
      } catch (const corbel::failure& f) {
        CHECK(contains(f.error().cause() + f.error().message(), "changed its type"));
      }
    }
    CHECK(got == data::value(std::string("1")));
  }(one_pool.db));
}

TEST_CASE("who did not say that a pooler stands in between is told what to write") {
  const behind one_pool("connections=1&checkout_timeout=300ms");
  const auto refused = failure_of(one_pool.db.ping());
  CHECK(refused.kind() == error_kind::unavailable);
  CHECK(contains(refused.cause(), "pooler=transaction"));
}
