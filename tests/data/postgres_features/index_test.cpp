// What lists ask, an index answers, also in the middle of many rows.

#include <map>

#include "corbel/data/postgres/postgres.hpp"
#include "corbel/data/repository.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"
#include "data/expect.hpp"

using namespace corbel;
using testing::run;

namespace {

struct item {
  std::int32_t id = 0;
  std::int32_t rank = 0;
  std::optional<date> due_on;
  std::map<std::string, std::string> attributes;
  std::vector<std::string> tags;
};
constexpr auto describe(tag<item>) {
  using namespace rules;
  return object(field("id", &item::id), field("rank", &item::rank), field("dueOn", &item::due_on),
                field("attributes", &item::attributes), field("tags", &item::tags));
}
constexpr auto table(tag<item>) {
  return data::table("items");
}

/// Passes everything on, and keeps the last statement.
struct recorder final : data::runner {
  explicit recorder(data::database to) : on(std::move(to)) {}
  task<std::unique_ptr<data::result_set>> run(data::statement what) override {
    last = what;
    return on.runner()->run(std::move(what));
  }
  const data::dialect& language() const noexcept override { return on.language(); }
  const data::database on;
  std::optional<data::statement> last;
};

/// The plan that the server made for the last statement, as people read it.
std::string plan_of(const recorder& seen) {
  auto asked = data::statement::owning("explain (costs off) " + std::string(seen.last->text()),
                                       seen.last->owned_parameters());
  const auto rows = run(seen.on.runner()->run(std::move(asked)));
  std::string all;
  for (std::size_t i = 0; i < rows->row_count(); ++i)
    all.append(std::get<std::string_view>(rows->at(i, 0))).append("\n");
  return all;
}

}  // namespace

TEST_CASE("the conditions and orders of lists are ones that an index serves") {
  const testing::temporary_postgres own;
  run(own->execute(
      "create table items (id integer primary key, rank smallint not null, due_on date, attributes jsonb "
      "not null, tags text[] not null)"));
  run(own->execute(
      "insert into items select n, n / 10, case when n % 3 = 0 then date '2026-01-01' + n / 100 end, "
      "jsonb_build_object('color', 'c' || n), array['t' || n] from generate_series(1, 30000) n"));
  for (const char* sql :
       {"create index on items (rank, id)", "create index on items (due_on nulls first, id)",
        "create index on items ((attributes ->> 'color'))", "create index on items using gin (tags)",
        "analyze items"})
    run(own->execute(data::trusted(sql)));

  const auto seen = std::make_shared<recorder>(*own);
  const data::repository<item> items{data::source(seen)};
  // Ten stretches in, so that the cursor is in the middle.
  const auto scan = [&](data::list_query query) {
    query.limit = 1000;
    for (int i = 0; i < 10; ++i) query.cursor = run(items.scan(query))->meta.next_cursor;
    (void)run(items.scan(query));
    return plan_of(*seen);
  };
  const auto plain = scan(data::list_query().order_by("rank"));
  CHECK_MESSAGE(contains(plain, "Index Cond: (ROW(rank, id) > ROW("), plain);
  CHECK_FALSE_MESSAGE(contains(plain, "Filter"), plain);
  CHECK_FALSE_MESSAGE(contains(plain, "Sort"), plain);
  const auto newest = scan(data::list_query().order_by("rank", true));
  CHECK_MESSAGE(contains(newest, "Index Scan Backward"), newest);
  CHECK_MESSAGE(contains(newest, "Index Cond: (ROW(rank, id) < ROW("), newest);
  // Two directions: the index finds the place of the first, and rows beside it are sorted.
  const auto mixed = scan(data::list_query().order_by("rank").order_by("id", true));
  CHECK_MESSAGE(contains(mixed, "Index Cond: (rank >= "), mixed);
  const auto due = [&](bool descending) {
    auto query = data::list_query().order_by("dueOn", descending);
    (void)run(items.list(query));
    return plan_of(*seen);
  };
  CHECK_FALSE_MESSAGE(contains(due(false), "Sort"), due(false));
  CHECK_FALSE_MESSAGE(contains(due(true), "Sort"), due(true));

  const auto by = [&](data::list_query query) {
    (void)run(items.list(std::move(query)));
    return plan_of(*seen);
  };
  const auto color = by(data::list_query().where("attributes.color", "c77"));
  CHECK_MESSAGE(contains(color, "Index Cond: ((attributes ->> 'color'::text) = "), color);
  CHECK(run(items.count(data::list_query().where("tags", "t77", data::comparison::has))) == 1);
  const auto tagged = plan_of(*seen);
  CHECK_MESSAGE(contains(tagged, "Index Cond: (tags @> "), tagged);
  const auto ranked = by(data::list_query().where("rank", 77));
  CHECK_MESSAGE(contains(ranked, "Index Cond: (rank = "), ranked);
  (void)run(items.find(77));
  CHECK_MESSAGE(contains(plan_of(*seen), "Index Cond: (id = "), plan_of(*seen));
}

TEST_CASE("a number beyond a column's range finds nothing, or all, and is no mistake") {
  const testing::temporary_postgres own;
  run(own->execute(
      "create table items (id integer primary key, rank smallint not null, due_on date, attributes jsonb "
      "not null, tags text[] not null)"));
  run(own->execute("insert into items values (1, 2, null, '{}', '{}')"));
  const data::repository<item> items(*own);
  CHECK(run(items.count(data::list_query().where("rank", 100'000))) == 0);
  CHECK(run(items.count(data::list_query().where("rank", 100'000, data::comparison::at_most))) == 1);
  CHECK_FALSE(run(items.find(std::int64_t{1} << 40)));
}
