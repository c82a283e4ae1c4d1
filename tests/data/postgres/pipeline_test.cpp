// Many statements travel on one connection at once: each stands and fails for itself.

#include "corbel/data/pipeline.hpp"

#include "corbel/data/constraint.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

task<void> insert(data::source to, int n) {
  co_await to.execute("insert into numbers (n) values ($1)", n);
}
task<void> divide(data::source on, int by) {
  (void)co_await on.query_one<int>("select 1 / $1::int", by);
}
task<void> divide_and_insert(data::source on, int by) {
  co_await on.execute("insert into numbers (n) select 100000 / $1::int", by);
}
task<void> mistype(data::source on) {
  co_await on.execute("insert into numbrs (n) values (1)");
}
task<void> miscast(data::source on, std::string text) {
  co_await on.execute("insert into numbers (n) values (cast($1::text as int))", text);
}
task<void> find(data::source in, int n, int* wrong) {
  const auto found = co_await in.query_one<int>("select n from numbers where n = $1", n);
  if (found != n) ++*wrong;
}
/// The same statement for all, so that one that fails shares its Sync with those that do not.
task<void> divided(data::source on, int by, int* wrong) {
  const auto got = co_await on.query_one<int>("select 5040 / $1::int", by);
  if (got != 5040 / by) ++*wrong;
}

void make_numbers(const data::database& db) {
  run(db.execute("create table numbers (n integer primary key)"));
}

}  // namespace

TEST_CASE("writes that fail leave their neighbours on the connection as they are") {
  const temporary_postgres own("connections=1&pipeline=1024");
  make_numbers(*own);
  run(insert(*own, 0));
  side_by_side all;
  std::vector<side_by_side::one*> bad;
  std::vector<side_by_side::one*> good;
  for (int n = 1; n <= 100; ++n) {
    good.push_back(&all.start(insert(*own, n)));
    if (n % 20 == 7) {
      bad.push_back(&all.start(insert(*own, 0)));
      bad.push_back(&all.start(divide_and_insert(*own, 0)));
      bad.push_back(&all.start(mistype(*own)));
      bad.push_back(&all.start(miscast(*own, "ten")));
      good.push_back(&all.start(divide_and_insert(*own, n)));  // the same statement
    }
  }
  all.run();
  for (const auto* each : good) CHECK_FALSE(each->thrown);
  REQUIRE(bad.size() == 20);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    const auto failed = bad[i]->failed();
    REQUIRE(failed);
    const error_kind kinds[] = {error_kind::conflict, error_kind::malformed, error_kind::internal,
                                error_kind::malformed};
    CHECK(failed->kind() == kinds[i % 4]);
  }
  CHECK(one<int>(*own, "select count(*) from numbers") == 101 + 5);
  CHECK(one<int>(*own,
                 "select count(distinct pid) from pg_stat_activity where datname = current_database() "
                 "and backend_type = 'client backend' and application_name = 'corbel'") <= 2);
}

TEST_CASE("quick reads that share a Sync with one that fails are answered, each with its own answer") {
  const temporary_postgres own("connections=1&pipeline=1024");
  make_numbers(*own);
  run(own->execute("insert into numbers select * from generate_series(1, 200)"));
  side_by_side all;
  int wrong = 0;
  // One at a time, until their time is known.
  for (int i = 0; i < 20; ++i) {
    all.start(find(*own, 1, &wrong));
    all.run();
    all.start(divided(*own, 1, &wrong));
    all.run();
  }
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    std::vector<side_by_side::one*> bad;
    std::vector<side_by_side::one*> good;
    for (int n = 1; n <= 100; ++n) {
      good.push_back(&all.start(n % 2 == 0 ? find(*own, n, &wrong) : divided(*own, n, &wrong)));
      if (n % 25 == round) bad.push_back(&all.start(divided(*own, 0, &wrong)));
      if (n % 50 == round) bad.push_back(&all.start(divide(*own, 0)));
      // A write between them is no reader's neighbour, and is done once.
      if (n == 50) good.push_back(&all.start(insert(*own, 1000 + round)));
    }
    all.run();
    for (const auto* each : good) CHECK_FALSE(each->thrown);
    CHECK(bad.size() >= 4);
    for (const auto* each : bad) {
      REQUIRE(each->failed());
      CHECK(each->failed()->kind() == error_kind::malformed);
    }
  }
  CHECK(wrong == 0);
  CHECK(one<int>(*own, "select count(*) from numbers") == 200 + 20);
}

namespace {

task<void> write_in_order(data::transaction& tx) {
  data::pipeline steps(tx);
  steps.execute("insert into numbers values (1)");
  steps.execute("update numbers set n = n * 10");
  const auto second = steps.execute("insert into numbers values (1)");
  steps.execute("update numbers set n = n + 5");
  const auto seen = steps.query<int>("select n from numbers order by n");
  co_await steps.run();
  CHECK(second.get() == 1);
  CHECK(seen.get() == std::vector<int>{6, 15});
}

/// Whatever the first statement of the pipeline is, the second is a good one.
task<void> fail_first(data::transaction& tx, data::trusted first, bool* second_failed) {
  data::pipeline steps(tx);
  const auto bad = steps.execute(first);
  const auto good = steps.execute("insert into numbers values (2)");
  co_await steps.run();
  try {
    good.get();
  } catch (const corbel::failure&) {
    *second_failed = true;
  }
  bad.get();
}

task<void> fail_later(data::transaction& tx, data::trusted bad, bool* last_failed) {
  co_await tx.execute("insert into numbers values (1)");
  co_await fail_first(tx, bad, last_failed);
}

task<void> fail_nested(data::transaction& tx, data::trusted bad, bool* last_failed) {
  co_await tx.execute("insert into numbers values (1)");
  try {
    co_await tx.transact(&fail_first, bad, last_failed);
  } catch (const corbel::failure&) {
  }
  co_await tx.execute("insert into numbers values (3)");
}

}  // namespace

TEST_CASE("in a transaction a pipeline's statements run in order") {
  const temporary_postgres own("connections=1");
  make_numbers(*own);
  run(own->transact(&write_in_order));
  CHECK(one<int>(*own, "select sum(n) from numbers") == 21);
}

TEST_CASE("in a transaction a pipeline that fails anywhere keeps nothing of what follows") {
  const temporary_postgres own("connections=1");
  make_numbers(*own);
  // One that cannot be parsed, one that fails as it runs, and one that we refuse: it takes no values.
  for (const std::string bad : {"insert into numbrs values (1)", "insert into numbers values (1 / 0)",
                                "insert into numbers values ($1)", "commit", "begin"}) {
    CAPTURE(bad);
    bool followed = false;
    CHECK_THROWS_AS(run(own->transact(&fail_first, data::trusted(bad), &followed)), corbel::failure);
    CHECK(followed);
    followed = false;
    CHECK_THROWS_AS(run(own->transact(&fail_later, data::trusted(bad), &followed)), corbel::failure);
    CHECK(followed);
    CHECK(one<int>(*own, "select count(*) from numbers") == 0);
    // A savepoint takes back as much as it should.
    followed = false;
    run(own->transact(&fail_nested, data::trusted(bad), &followed));
    CHECK(followed);
    CHECK(run(own->query<int>("select n from numbers order by n")) == std::vector<int>{1, 3});
    run(own->execute("delete from numbers"));
  }
}

TEST_CASE("a table that changes between two runs of a statement is no matter outside of transactions") {
  const temporary_postgres own("connections=1&pipeline=1024");
  make_numbers(*own);
  run(own->execute("insert into numbers values (7)"));
  const auto look = [](data::source on, int* sum) -> task<void> {
    const auto rows = co_await on.query<data::value>("select * from numbers where n > $1", 0);
    *sum += static_cast<int>(rows.size());
  };
  side_by_side all;
  int rows = 0;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 50; ++i) all.start(look(*own, &rows));
    all.run();
    // Both what it gives and what it takes.
    const std::string change =
        round % 2 == 0
            ? "alter table numbers add column extra" + std::to_string(round) + " text"
            : "alter table numbers alter column n type " + std::string(round % 4 == 1 ? "bigint" : "integer");
    all.start([](data::database on, data::trusted sql) -> task<void> { co_await on.execute(sql); }(
                                                           *own, data::trusted(change)));
    all.run();
  }
  for (const auto& each : all.all()) {
    if (const auto failed = each.failed()) FAIL_CHECK(failed->cause());
    CHECK_FALSE(each.thrown);
  }
  CHECK(rows == 300);
}

TEST_CASE("prepared statements that somebody threw away are prepared again") {
  const temporary_postgres own("connections=1&pipeline=1024");
  make_numbers(*own);
  run(own->execute("insert into numbers select * from generate_series(1, 100)"));
  side_by_side all;
  int wrong = 0;
  for (int round = 0; round < 5; ++round) {
    for (int n = 1; n <= 50; ++n) all.start(find(*own, n, &wrong));
    all.start(insert(*own, 1000 + round));
    all.start([](data::database on) -> task<void> { co_await on.execute("deallocate all"); }(*own));
    for (int n = 1; n <= 50; ++n) all.start(find(*own, n, &wrong));
    all.run();
  }
  for (const auto& each : all.all()) {
    if (const auto failed = each.failed()) FAIL_CHECK(failed->cause());
    CHECK_FALSE(each.thrown);
  }
  CHECK(wrong == 0);
  CHECK(one<int>(*own, "select count(*) from numbers where n > 999") == 5);
}

TEST_CASE(
    "more statements than the cache keeps are told from one another, and the server forgets them, too") {
  const temporary_postgres own("connections=1&statement_cache=2");
  side_by_side all;
  int wrong = 0;
  const auto ask = [](data::database on, int n, int* mistaken) -> task<void> {
    const auto got =
        co_await on.query_one<int>(data::trusted("select " + std::to_string(n) + " + $1::int"), 1000);
    if (got != n + 1000) ++*mistaken;
  };
  for (int round = 0; round < 5; ++round) {
    for (int n = 0; n < 20; ++n) all.start(ask(*own, n, &wrong));
    if (round % 2 == 0) all.run();
  }
  all.run();
  for (const auto& each : all.all()) CHECK_FALSE(each.thrown);
  CHECK(wrong == 0);
  int kept = 0;
  all.start([](data::database on, int* count) -> task<void> {
    *count = *co_await on.query_one<int>("select count(*) from pg_prepared_statements");
  }(*own, &kept));
  all.run();
  CHECK(kept >= 1);
  CHECK(kept <= 3);
}

TEST_CASE("whoever begins or ends transactions by hand is told what to write instead") {
  const temporary_postgres own("connections=1");
  for (const std::string sql :
       {"begin", "BEGIN ISOLATION LEVEL SERIALIZABLE", "/* now */ commit", "rollback", "start transaction",
        "end", "abort", "savepoint a", "release a", "rollback to savepoint a", "prepare transaction 'x'"}) {
    CAPTURE(sql);
    const auto refused = failure_of(own->execute(data::trusted(sql)));
    CHECK(refused.kind() == error_kind::internal);
    CHECK(contains(refused.cause(), "transactions are the library's business: use db.transact(...)"));
  }
  CHECK(one<int>(*own, "select 1") == 1);
}

namespace {

task<void> insert_pair(data::transaction& tx, int n) {
  co_await tx.execute("insert into numbers values ($1)", n);
  co_await pause(2ms);
  co_await tx.execute("insert into numbers values ($1)", -n);
}
task<void> add_pair(data::source on, int n) {
  co_await on.transact(&insert_pair, n);
}
task<void> count_pairs(data::source on, int* wrong) {
  const auto all = co_await on.query_one<int>("select count(*) from numbers");
  if (!all || *all % 2 != 0) ++*wrong;
}

}  // namespace

TEST_CASE("what has to run again beside a failure does not run in a transaction that began behind it") {
  const temporary_postgres own("connections=1&pipeline=1024");
  make_numbers(*own);
  side_by_side all;
  int wrong = 0;
  for (int i = 0; i < 20; ++i) {
    all.start(count_pairs(*own, &wrong));
    all.run();
    all.start(divided(*own, 1, &wrong));
    all.run();
  }
  for (int round = 1; round <= 30; ++round) {
    CAPTURE(round);
    std::vector<side_by_side::one*> good;
    auto& bad = all.start(divided(*own, 0, &wrong));
    for (int i = 0; i < 10; ++i) good.push_back(&all.start(count_pairs(*own, &wrong)));
    good.push_back(&all.start(add_pair(*own, round)));
    all.run();
    CHECK(bad.failed());
    for (const auto* each : good) CHECK_FALSE(each->thrown);
  }
  CHECK(wrong == 0);
  CHECK(one<int>(*own, "select count(*) from numbers") == 60);
}

TEST_CASE("SQL that the server would not see as it is meant is refused, and its neighbours are not") {
  const temporary_postgres own("connections=1");
  run([](data::database db) -> task<void> {
    co_await db.execute("create table numbers (n integer)");
    const data::trusted nul(std::string("select 1 \0 where false", 22));
    CHECK_THROWS_AS(co_await db.execute(nul), corbel::failure);
    for (const char* sql : {"copy numbers from stdin", "copy numbers to stdout"}) {
      std::string said;
      try {
        co_await db.execute(data::trusted(sql));
      } catch (const corbel::failure& f) {
        said = f.error().cause() + f.error().message();
      }
      CHECK_MESSAGE(contains(said, "copy_in or copy_out"), said);
    }
    CHECK(co_await db.query_one<int>("select 1") == 1);
  }(*own));
}
