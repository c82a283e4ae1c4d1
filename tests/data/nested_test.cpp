// Transactions within transactions: what they may ask for, and who tries again.

#include "backends.hpp"
#include "counts.hpp"
#include "expect.hpp"

namespace data = corbel::data;
using corbel::error_kind;
using corbel::result;
using corbel::task;
using corbel::testing::run;

namespace {

task<void> do_nothing(data::transaction&) {
  co_return;
}
task<void> nest(data::transaction& tx, data::transaction_options inner) {
  co_await tx.transact(inner, &do_nothing);
}
task<void> nest_twice(data::transaction& tx, data::transaction_options inner) {
  co_await tx.transact(&nest, inner);
}
task<void> read_only_within(data::transaction& tx) {
  co_await tx.transact_read_only(&add, 1);
}
task<void> begin_within(data::transaction& tx, data::transaction_use use) {
  data::transaction_mode mode;
  mode.use = use;
  auto inner = co_await tx.begin(mode);
  co_await inner.commit();
}

}  // namespace

TEST_CASE("a nested transaction has the mode of its outer one, and is refused another") {
  using options = data::transaction_options;
  using data::isolation;
  const auto writer = options();
  const auto reader = options().read_only();
  const auto committed = options().at(isolation::read_committed);
  const auto repeatable = data::repeatable_read();
  const auto strict = data::serializable();
  const auto committed_reader = options().at(isolation::read_committed).read_only();
  const auto repeatable_reader = data::repeatable_read().read_only();
  const auto strict_reader = data::serializable().read_only();
  const auto deferrable = options().deferrable();
  const std::vector<options> all{writer,    reader,           committed,         repeatable,
                                 strict,    committed_reader, repeatable_reader, strict_reader,
                                 deferrable};
  // Which of `all`, in their order, may begin within each of them.
  const std::vector<std::string> given{"+--------",  // a writer at the standard level promises no other
                                       "++-+--+--",  // a reader has one view
                                       "+-+------", "+--+-----", "+---+----",
                                       "+-+--+---",  // what changes under it is no one view
                                       "++-+--+--", "++--+--+-", "++--+--++"};
  backends::each([&](const data::database& db) {
    for (std::size_t outer = 0; outer < all.size(); ++outer)
      for (std::size_t inner = 0; inner < all.size(); ++inner) {
        CAPTURE(outer);
        CAPTURE(inner);
        if (given[outer][inner] == '+') {
          run(db.transact(all[outer], &nest, all[inner]));
          run(db.transact(all[outer], &nest_twice, all[inner]));
        } else {
          for (const auto body : {&nest, &nest_twice}) {
            const auto refused = failure_of(db.transact(all[outer], body, all[inner]));
            CHECK(refused.kind() == error_kind::internal);
            CHECK(contains(refused.cause(), "a nested transaction is a savepoint"));
          }
        }
      }
    make_counts(db);
    CHECK(contains(failure_of(db.transact(&read_only_within)).cause(), "make the outer one read-only"));
    CHECK(rows(db) == 0);
    for (const auto use : {data::transaction_use::migrate, data::transaction_use::migrate_bare})
      CHECK(contains(failure_of(db.transact(&begin_within, use)).cause(), "give them the database"));
  });
}

namespace {

struct collision final : corbel::error_origin, data::transient_origin {};

task<void> collide(data::transaction&, int* attempts) {
  ++*attempts;
  throw corbel::failure(corbel::unavailable("Again.").from(std::make_shared<const collision>()));
  co_return;
}
task<result<int>> collide_by_value(data::transaction&, int* attempts) {
  ++*attempts;
  co_return corbel::unavailable("Again.").from(std::make_shared<const collision>());
}
task<void> collide_within(data::transaction& tx, int* attempts) {
  const auto how = data::transaction_options().retry(3);
  const auto refused = co_await tx.transact(how, &collide_by_value, attempts);
  CHECK(data::is_transient(refused.error()));
  co_await tx.transact(how, &collide, attempts);
}

}  // namespace

TEST_CASE("what others undid is tried again from the beginning, never within a transaction") {
  backends::each([](const data::database& db) {
    int attempts = 0;
    CHECK(data::is_transient(failure_of(db.transact(&collide_within, &attempts))));
    CHECK(attempts == 2);
    attempts = 0;
    const auto how = data::transaction_options().retry(3);
    CHECK(data::is_transient(failure_of(db.transact(how, &collide_within, &attempts))));
    CHECK(attempts == 6);
  });
}
