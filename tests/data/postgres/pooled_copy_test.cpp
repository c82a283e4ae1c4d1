// COPY through a pooler that gives every transaction another session.

#include "corbel/base/describe/describe.hpp"
#include "support/pgbouncer.hpp"
#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace pooled {

struct number {
  int n = 0;
};
constexpr auto describe(corbel::tag<number>) {
  using namespace corbel::rules;
  return object(field("n", &number::n));
}

}  // namespace pooled

namespace {

// Each gives its thread back before the next asks for one.
task<void> read_list(postgres::database pg, int user, int* rows) {
  const std::vector<int> list{user, user};
  auto out = co_await pg.copy_out<pooled::number>("select n from unnest($1::int[]) n", list);
  while (const auto one = co_await out.next())
    if (one->n == user) ++*rows;
}
task<void> write_text(postgres::database pg) {
  auto in = co_await pg.copy_in_text("copy numbers from stdin");
  co_await in.write("1\n");
  co_await in.finish();
}
task<void> copy_often(postgres::database pg, int user, int* rows) {
  for (int i = 0; i < 20; ++i) {
    co_await read_list(pg, user, rows);
    co_await write_text(pg);
    std::vector<pooled::number> more(2);
    co_await pg.copy_in("numbers", std::move(more));
  }
}

}  // namespace

TEST_CASE("COPY works through PgBouncer in transaction mode, and leaves its settings nowhere") {
  const temporary_postgres own;
  const auto name = own.url().substr(own.url().rfind('/') + 1);
  const data::trusted limit("alter database " + name + " set statement_timeout = '77s'");
  run(own->execute(limit));
  run(own->execute("create table numbers (n int)"));
  const own::pgbouncer bouncer(temporary_postgres::server());
  const auto db = postgres::open(bouncer.url(name, "pooler=transaction&threads=4&checkout_timeout=20s"));
  const postgres::database pg(db);
  side_by_side all;
  int rows = 0;
  for (int user = 1; user <= 8; ++user) all.start(copy_often(pg, user, &rows));
  all.run();
  for (const auto& each : all.all()) {
    CAPTURE(each.failed() ? each.failed()->cause() : "");
    CHECK_FALSE(each.thrown);
  }
  CHECK(rows == 8 * 20 * 2);
  CHECK(one<int>(*own, "select count(*) from numbers") == 8 * 20 * 3);
  // Each on its own server connection, as far as there are some.
  std::vector<std::string> limits;
  auto& asked = all.start([](data::database on, std::vector<std::string>* out) -> task<void> {
    for (int i = 0; i < 20; ++i) {
      auto tx = co_await on.begin();
      const auto found = co_await tx.query_one<std::string>("select current_setting('statement_timeout')");
      out->push_back(found.value_or(""));
    }
  }(db, &limits));
  all.run();
  CHECK_FALSE(asked.thrown);
  CHECK(std::count(limits.begin(), limits.end(), "77s") == 20);
  db.stop();
}
