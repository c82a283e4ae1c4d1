// What only Postgres's transactions do: isolation, conflicts, and an end that nobody hears of.

#include "corbel/data/transaction_options.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <random>

#include "corbel/data/pipeline.hpp"
#include "corbel/data/postgres/errors.hpp"
#include "support/proxy.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

void make_doctors(const data::database& db) {
  run(db.execute("create table doctors (id int primary key, on_call bool not null)"));
  run(db.execute("insert into doctors values (1, true), (2, true)"));
}

/// Two meet here before either goes on. Whoever comes again does not wait.
struct meeting {
  int arrived = 0;
  task<void> meet() {
    ++arrived;
    while (arrived < 2) co_await pause(1ms);
  }
};

/// Nobody may leave when nobody else is there: each sees the other one.
task<void> leave(data::transaction& tx, int id, meeting* where, int* attempts) {
  ++*attempts;
  const auto there = co_await tx.query_one<int>("select count(*) from doctors where on_call");
  co_await where->meet();
  if (there > 1) co_await tx.execute("update doctors set on_call = false where id = $1", id);
}
task<void> leave_under(data::database db, data::transaction_options how, int id, meeting* where,
                       int* attempts) {
  co_await db.transact(how, &leave, id, where, attempts);
}

/// Locks one row, then the other.
task<void> lock_both(data::transaction& tx, int first, int second, meeting* where, int* attempts) {
  ++*attempts;
  co_await tx.execute("update doctors set on_call = not on_call where id = $1", first);
  co_await where->meet();
  co_await tx.execute("update doctors set on_call = not on_call where id = $1", second);
}
task<void> lock_both_under(data::database db, data::transaction_options how, int first, int second,
                           meeting* where, int* attempts) {
  co_await db.transact(how, &lock_both, first, second, where, attempts);
}

}  // namespace

TEST_CASE("under serializable a write skew is refused; below it is not, and nobody tries again unasked") {
  const temporary_postgres own("connections=4");
  make_doctors(*own);
  for (const auto& [how, skews] : {std::pair(data::transaction_options(), true),
                                   {data::repeatable_read(), true},
                                   {data::serializable(), false}}) {
    run(own->execute("update doctors set on_call = true"));
    side_by_side all;
    meeting here;
    int attempts = 0;
    auto& a = all.start(leave_under(*own, how, 1, &here, &attempts));
    auto& b = all.start(leave_under(*own, how, 2, &here, &attempts));
    all.run();
    CHECK(attempts == 2);
    CHECK(one<int>(*own, "select count(*) from doctors where on_call") == (skews ? 0 : 1));
    if (skews) {
      CHECK_FALSE(a.thrown);
      CHECK_FALSE(b.thrown);
      continue;
    }
    CHECK((a.thrown != nullptr) != (b.thrown != nullptr));
    const auto failed = a.thrown ? a.failed() : b.failed();
    REQUIRE(failed);
    CHECK(failed->code() == "transaction_conflict");
    CHECK(postgres::is_sql_state(*failed, "40001"));
    CHECK(data::is_transient(*failed));
  }
}

TEST_CASE("transactions that conflict and may be tried again both succeed") {
  const temporary_postgres own("connections=4");
  make_doctors(*own);
  side_by_side all;
  meeting here;
  int attempts = 0;
  auto how = data::serializable();
  how.retry();
  auto& a = all.start(leave_under(*own, how, 1, &here, &attempts));
  auto& b = all.start(leave_under(*own, how, 2, &here, &attempts));
  all.run();
  CHECK_FALSE(a.thrown);
  CHECK_FALSE(b.thrown);
  CHECK(attempts >= 3);
  CHECK(one<int>(*own, "select count(*) from doctors where on_call") == 1);
}

TEST_CASE("of two that wait for each other one is undone, and tried again when it may be") {
  const temporary_postgres own("connections=4");
  make_doctors(*own);
  run(own->execute(data::trusted("alter database " +
                                 *run(own->query_one<std::string>("select current_database()")) +
                                 " set deadlock_timeout = '50ms'")));
  const auto db = postgres::open(own.url());
  for (const bool again : {false, true}) {
    CAPTURE(again);
    side_by_side all;
    meeting here;
    int attempts = 0;
    data::transaction_options how;
    if (again) how.retry();
    auto& a = all.start(lock_both_under(db, how, 1, 2, &here, &attempts));
    auto& b = all.start(lock_both_under(db, how, 2, 1, &here, &attempts));
    all.run();
    if (again) {
      CHECK_FALSE(a.thrown);
      CHECK_FALSE(b.thrown);
      CHECK(attempts >= 3);
      continue;
    }
    CHECK(attempts == 2);
    CHECK((a.thrown != nullptr) != (b.thrown != nullptr));
    const auto failed = a.thrown ? a.failed() : b.failed();
    REQUIRE(failed);
    CHECK(postgres::is_sql_state(*failed, "40P01"));
    CHECK(data::is_transient(*failed));
  }
  db.stop();
}

namespace {

task<void> read_and_write(data::transaction& tx) {
  (void)co_await tx.query_one<int>("select 1");
  co_await tx.execute("insert into doctors values (9, true)");
}
task<void> look_twice(data::transaction& tx, data::database other, int n, bool* same) {
  const auto before = co_await tx.query_one<int>("select count(*) from doctors");
  co_await other.execute("insert into doctors values ($1, false)", n);
  const auto after = co_await tx.query_one<int>("select count(*) from doctors");
  *same = before == after;
}
task<void> ask_mode(data::transaction& tx, std::string* mode) {
  *mode = (co_await tx.query_one<std::string>("select current_setting('transaction_isolation') || ' ' || "
                                              "current_setting('transaction_read_only') || "
                                              "' ' || current_setting('transaction_deferrable')"))
              .value();
}

}  // namespace

TEST_CASE("a transaction runs in the mode it was given") {
  const temporary_postgres own("connections=2");
  make_doctors(*own);
  std::string mode;
  run(own->transact(&ask_mode, &mode));
  CHECK(mode == "read committed off off");
  run(own->transact_read_only(&ask_mode, &mode));
  CHECK(mode == "repeatable read on off");
  run(own->transact(data::serializable(), &ask_mode, &mode));
  CHECK(mode == "serializable off off");
  run(own->transact(data::transaction_options().deferrable(), &ask_mode, &mode));
  CHECK(mode == "serializable on on");
  run(own->transact(data::transaction_options().at(data::isolation::read_committed).read_only(), &ask_mode,
                    &mode));
  CHECK(mode == "read committed on off");

  const auto refused = failure_of(own->transact_read_only(&read_and_write));
  CHECK(postgres::is_sql_state(refused, "25006"));
  bool same = true;
  int n = 100;
  run(own->transact(&look_twice, *own, ++n, &same));
  CHECK_FALSE(same);
  run(own->transact(data::repeatable_read(), &look_twice, *own, ++n, &same));
  CHECK(same);
  run(own->transact_read_only(&look_twice, *own, ++n, &same));
  CHECK(same);
}

namespace {

task<void> insert_doctor(data::transaction& tx, int id, int* attempts) {
  ++*attempts;
  co_await tx.execute("insert into doctors values ($1, true)", id);
}

}  // namespace

TEST_CASE("a COMMIT whose answer is lost has an unknown outcome, and is never tried again") {
  const temporary_postgres own;
  make_doctors(*own);
  proxy between(own.url());
  const auto db = postgres::open(between.in(own.url()) + "?connections=1");
  run(db.ping());
  between.swallow_answer_to("COMMIT");
  int attempts = 0;
  auto how = data::serializable();
  how.retry(5);
  const auto unknown = failure_of(db.transact(how, &insert_doctor, 50, &attempts));
  CHECK(between.swallowed());
  CHECK(unknown.kind() == error_kind::unavailable);
  CHECK(data::is_commit_unknown(unknown));
  CHECK_FALSE(data::is_transient(unknown));
  CHECK(attempts == 1);
  // It was made, this time.
  CHECK(one<int>(*own, "select count(*) from doctors where id = 50") == 1);
  run(db.ping());
  db.stop();
}

namespace {

/// Through a network that breaks, with the key "k".
task<void> insert_once(data::database db, int id, int attempts, int* tried) {
  auto how = data::transaction_options().once_for("k").retry(attempts);
  co_await db.transact(how, &insert_doctor, id, tried);
}

/// What its key tells of a COMMIT that was lost.
struct keyed {
  keyed() {
    make_doctors(*own);
    run(own->execute("create table corbel_idempotency_keys (key text primary key, attempt text not null)"));
    run(db.ping());
  }
  ~keyed() { db.stop(); }
  int inserted(int id) { return one<int>(*own, "select count(*) from doctors where id = $1", id); }

  temporary_postgres own;
  proxy between{own.url()};
  data::database db = postgres::open(between.in(own.url()) + "?connections=1");
  int tried = 0;
};

}  // namespace

TEST_CASE("a COMMIT whose answer is lost is told by its key to have been made") {
  keyed it;
  it.between.swallow_answer_to("COMMIT");
  run(insert_once(it.db, 50, 1, &it.tried));
  CHECK(it.between.swallowed());
  CHECK(it.tried == 1);
  CHECK(it.inserted(50) == 1);
}

TEST_CASE("a COMMIT that is lost on its way is told by its key to be undone, and may be tried again") {
  for (const int attempts : {1, 2}) {
    CAPTURE(attempts);
    keyed it;
    it.between.lose("COMMIT");
    side_by_side all;
    auto& a = all.start(insert_once(it.db, 50, attempts, &it.tried));
    REQUIRE(all.run_until([&] { return it.between.has_lost(); }));
    it.between.let_in();
    all.run();
    CHECK(it.tried == attempts);
    CHECK(it.inserted(50) == attempts - 1);
    if (attempts == 2) {
      CHECK_FALSE(a.thrown);
      continue;
    }
    REQUIRE(a.failed());
    CHECK(a.failed()->code() == "commit_lost");
    CHECK(data::is_transient(*a.failed()));
  }
}

TEST_CASE("a key that somebody else has used meanwhile is no sign that a lost COMMIT was made") {
  keyed it;
  it.between.lose("COMMIT");
  side_by_side all;
  auto& a = all.start(insert_once(it.db, 50, 5, &it.tried));
  REQUIRE(all.run_until([&] { return it.between.has_lost(); }));
  // The client asks again, elsewhere.
  int tried_again = 0;
  run(insert_once(*it.own, 51, 1, &tried_again));
  it.between.let_in();
  all.run();
  CHECK(it.tried == 1);
  CHECK(it.inserted(50) == 0);
  CHECK(it.inserted(51) == 1);
  REQUIRE(a.failed());
  CHECK(a.failed()->kind() == error_kind::conflict);
  CHECK(a.failed()->code() == "idempotency_key_used");
}

TEST_CASE("a write by itself whose answer is lost has an unknown outcome; a read has none") {
  const temporary_postgres own;
  make_doctors(*own);
  proxy between(own.url());
  const postgres::database db(postgres::open(between.in(own.url()) + "?connections=1"));
  const auto prepare = [&](const data::source& on, int id) {
    run(on.execute("insert into doctors values ($1, true)", id));
    run(on.query_one<int>("select $1::int + 12345", id));
  };
  const auto identity = db.as(postgres::identity().set("app.user", "1"));
  int id = 60;
  for (const auto& on : {data::source(db), identity}) {
    prepare(on, ++id);
    // Long enough to stand nowhere else, such as in the name of the database.
    const int doctor = 1'234'567'000 + id;
    between.swallow_answer_to(std::to_string(doctor));
    const auto unknown = failure_of(on.execute("insert into doctors values ($1, true)", doctor));
    CHECK(between.swallowed());
    CHECK(data::is_commit_unknown(unknown));
  }
  prepare(db, ++id);
  between.swallow_answer_to("1942424242");
  const auto lost = failure_of(db.query_one<int>("select $1::int + 12345", 1'942'424'242));
  CHECK(lost.kind() == error_kind::unavailable);
  CHECK_FALSE(data::is_commit_unknown(lost));
  db.stop();
}

namespace {

task<void> be_killed(data::transaction& tx, data::database other, int* reached) {
  co_await tx.execute("insert into doctors values (70, true)");
  const auto pid = co_await tx.query_one<int>("select pg_backend_pid()");
  (void)co_await other.query_one<data::value>("select pg_terminate_backend($1)", pid.value());
  co_await pause(50ms);
  ++*reached;
  co_await tx.execute("insert into doctors values (71, true)");
}
task<void> be_killed_at_work(data::transaction& tx, int* pid) {
  co_await tx.execute("insert into doctors values (72, true)");
  *pid = (co_await tx.query_one<int>("select pg_backend_pid()")).value();
  (void)co_await tx.query_one<data::value>("select pg_sleep(20)");
}

}  // namespace

TEST_CASE("a transaction whose backend is killed has failed, and kept nothing") {
  const temporary_postgres own("connections=1");
  make_doctors(*own);
  const auto other = postgres::open(own.url());
  int reached = 0;
  const auto killed = failure_of(own->transact(&be_killed, other, &reached));
  CHECK(reached == 1);
  CHECK(killed.kind() == error_kind::unavailable);
  CHECK_FALSE(data::is_commit_unknown(killed));
  side_by_side all;
  int pid = 0;
  auto& worker = all.start(own->transact(&be_killed_at_work, &pid));
  REQUIRE(all.run_until([&] { return pid != 0; }));
  all.run_for(20ms);
  run(other.query_one<data::value>("select pg_terminate_backend($1)", pid));
  all.run(2s);
  REQUIRE(worker.failed());
  CHECK(worker.failed()->kind() == error_kind::unavailable);
  CHECK_FALSE(data::is_commit_unknown(*worker.failed()));
  CHECK(one<int>(*own, "select count(*) from doctors where id >= 70") == 0);
  other.stop();
}

TEST_CASE("a commit that the database refuses is told: a deferred constraint, a conflict") {
  const temporary_postgres own("connections=1");
  run(own->execute("create table a (id int primary key)"));
  run(own->execute("create table b (a_id int references a deferrable initially deferred)"));
  const auto dangle = [](data::transaction& tx) -> task<void> {
    co_await tx.execute("insert into b values (1)");
  };
  const auto refused = failure_of(own->transact(dangle));
  CHECK(refused.code() == "foreign_key_violation");
  CHECK(one<int>(*own, "select count(*) from b") == 0);
  CHECK(failure_of(own->execute("insert into b values (2)")).code() == "foreign_key_violation");
  const postgres::database pg(*own);
  const auto acting = pg.as(postgres::identity().set("app.user", "1"));
  CHECK(failure_of(acting.execute("insert into b values (2)")).code() == "foreign_key_violation");
  CHECK(one<int>(*own, "select count(*) from b") == 0);
}

namespace {

task<void> break_inside(data::transaction* tx) {
  auto inner = co_await tx->begin();
  (void)co_await inner.query_one<data::value>("select pg_terminate_backend(pg_backend_pid())");
  co_await inner.commit();
}

/// Stays in a nested transaction for as long as it is let.
task<void> linger_inside(data::transaction* tx) {
  auto inner = co_await tx->begin();
  co_await pause(10s);
}

}  // namespace

TEST_CASE("what follows in a transaction whose connection broke inside of a nested one fails, and no more") {
  const temporary_postgres own("connections=1");
  run([](data::database db) -> task<void> {
    auto tx = co_await db.begin();
    co_await tx.execute("select 1");
    bool broke = false;
    try {
      co_await break_inside(&tx);
    } catch (const corbel::failure& f) {
      broke = f.error().kind() == error_kind::unavailable;
    }
    CHECK(broke);
    CHECK_THROWS_AS(co_await tx.execute("select 2"), corbel::failure);
    CHECK_THROWS_AS(co_await tx.commit(), corbel::failure);
    CHECK(co_await db.query_one<int>("select 3") == 3);
  }(*own));
}

TEST_CASE("nothing of a transaction is kept whose first step was cancelled before it left") {
  const temporary_postgres own("connections=1");
  run(own->execute("create table numbers (n integer)"));
  for (int late = 0; late < 5; ++late) {
    run([](data::database db, int wait) -> task<void> {
      using namespace boost::asio::experimental::awaitable_operators;
      auto tx = co_await db.begin();
      co_await (linger_inside(&tx) || pause(std::chrono::milliseconds(wait)));
      try {
        co_await tx.execute("insert into numbers values (1)");
      } catch (const corbel::failure&) {
        // It may fail or succeed: but it is part of a transaction.
      }
      tx.rollback();
    }(*own, late));
    CHECK(one<int>(*own, "select count(*) from numbers") == 0);
  }
}

TEST_CASE("a pipeline that is cancelled as its transaction begins leaves nothing outside of it") {
  const temporary_postgres own("connections=1");
  run(own->execute("create table numbers (n integer)"));
  side_by_side all;
  std::minstd_rand random(4);
  for (int n = 0; n < 300; ++n) {
    auto& doomed = all.start([](data::database db, int k) -> task<void> {
      auto tx = co_await db.begin();
      data::pipeline both(tx);
      const auto first = both.query_one<data::value>("select pg_sleep(0.001)");
      const auto second = both.execute("insert into numbers values ($1)", k);
      co_await both.run();
      tx.rollback();
    }(*own, n));
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 1500);
    all.run_until([&] { return std::chrono::steady_clock::now() > until; });
    doomed.stop();
    all.run();
  }
  CHECK(one<int>(*own, "select count(*) from numbers") == 0);
}

TEST_CASE("a table that changes under a transaction is a reason to run it again") {
  const temporary_postgres own("connections=1");
  run(own->execute("create table numbers (n integer)"));
  const auto watcher = postgres::open(own.url());
  run([](data::database db, data::database other) -> task<void> {
    (void)co_await db.query<data::value>("select * from numbers");
    co_await other.execute("alter table numbers alter column n type bigint");
    int attempts = 0;
    const auto body = [](data::transaction& tx, int* count) -> task<void> {
      ++*count;
      (void)co_await tx.query<data::value>("select * from numbers");
    };
    co_await db.transact(data::transaction_options().retry(3), body, &attempts);
    CHECK(attempts == 2);
  }(*own, watcher));
  watcher.stop();
}
