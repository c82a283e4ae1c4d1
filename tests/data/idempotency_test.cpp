// What is made once for its key, and what the table of keys has to be.

#include <stdexcept>

#include "backends.hpp"
#include "counts.hpp"
#include "expect.hpp"

namespace data = corbel::data;
using corbel::error_kind;
using corbel::task;
using corbel::testing::run;

namespace {

task<int> add_once(data::database db, std::string key, int n) {
  co_return co_await db.transact(data::transaction_options().once_for(std::move(key)).retry(), &add_two, n);
}

void make_keys(const data::database& db, const std::string& attempt_type) {
  run(db.execute("drop table if exists corbel_idempotency_keys"));
  const data::trusted table("create table corbel_idempotency_keys (key text primary key not null, attempt " +
                            attempt_type + " not null)");
  run(db.execute(table));
}

}  // namespace

TEST_CASE("a transaction is made once for its key") {
  backends::each([](const data::database& db) {
    for (const char* type : {"text", "uuid"}) {
      CAPTURE(type);
      run(db.execute("drop table if exists counts"));
      make_counts(db);
      make_keys(db, type);
      CHECK(run(add_once(db, "a", 1)) == 1);
      CHECK(failure_of(add_once(db, "a", 5)).code() == "idempotency_key_used");
      CHECK(rows(db) == 2);
      // What was undone has not used its key.
      CHECK(failure_of(add_once(db, "b", 1)).kind() == error_kind::conflict);
      CHECK(run(add_once(db, "b", 5)) == 5);
      CHECK(rows(db) == 4);
      CHECK(run(db.query_one<int>("select count(distinct attempt) from corbel_idempotency_keys")) == 2);
    }
  });
}

TEST_CASE("a key that is too long is the client's mistake, and an empty one is none") {
  backends::each([](const data::database& db) {
    make_counts(db);
    make_keys(db, "text");
    const auto refused = failure_of(add_once(db, std::string(256, 'k'), 1));
    CHECK(refused.kind() == error_kind::malformed);
    CHECK(refused.code() == "bad_idempotency_key");
    CHECK(contains(refused.message(), "255 bytes"));
    CHECK(rows(db) == 0);
    CHECK(run(add_once(db, std::string(255, 'k'), 1)) == 1);
    CHECK(run(add_once(db, "", 3)) == 3);
    CHECK(run(add_once(db, "", 5)) == 5);
    CHECK(run(db.query_one<int>("select count(*) from corbel_idempotency_keys")) == 1);
  });
}

TEST_CASE("a table of keys that lacks what it needs is told in the log") {
  backends::each([](const data::database& db) {
    make_counts(db);
    const auto missing = failure_of(add_once(db, "a", 1));
    CHECK(missing.kind() == error_kind::internal);
    CHECK(contains(missing.cause(), "create table corbel_idempotency_keys (key text primary key, attempt"));
    run(db.execute("create table corbel_idempotency_keys (key text primary key)"));
    const auto old = failure_of(add_once(db, "a", 1));
    CHECK(old.kind() == error_kind::internal);
    CHECK(contains(old.cause(), "create table corbel_idempotency_keys (key text primary key, attempt"));
    CHECK(rows(db) == 0);
  });
}

namespace {

task<void> add_within(data::transaction& tx, std::string key, int n) {
  const auto how = data::transaction_options().once_for(std::move(key));
  co_await tx.transact(how, &add_two, n);
}
task<void> add_within_and_throw(data::transaction& tx, std::string key, int n) {
  co_await add_within(tx, std::move(key), n);
  throw std::domain_error("no");
}
task<std::string> add_twice_within(data::transaction& tx, std::string key, int n) {
  std::string refused;
  co_await add_within(tx, key, n);
  try {
    co_await add_within(tx, key, n + 2);
  } catch (const corbel::failure& f) {
    refused = f.error().code();
  }
  co_await add(tx, n + 4);
  co_return refused;
}

}  // namespace

TEST_CASE("the key of a nested transaction is kept or undone with the outer one") {
  backends::each([](const data::database& db) {
    make_counts(db);
    make_keys(db, "text");
    CHECK_THROWS_AS(run(db.transact(&add_within_and_throw, "a", 1)), std::domain_error);
    CHECK(rows(db) == 0);
    run(db.transact(&add_within, "a", 1));
    CHECK(rows(db) == 2);
    CHECK(failure_of(db.transact(&add_within, "a", 10)).code() == "idempotency_key_used");
    CHECK(failure_of(add_once(db, "a", 10)).code() == "idempotency_key_used");
    // Within one transaction it counts, too, and only the second is lost.
    CHECK(run(db.transact(&add_twice_within, "b", 20)) == "idempotency_key_used");
    CHECK(rows(db) == 5);
  });
}
