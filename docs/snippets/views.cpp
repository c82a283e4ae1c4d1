#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <string>

#include <corbel/base/decimal.hpp>
#include <corbel/data/repository.hpp>
#include <corbel/data/sqlite/sqlite.hpp>
#include <corbel/routing/list.hpp>
#include <corbel/testing/database.hpp>
#include <corbel/testing/run.hpp>

namespace {

using namespace corbel;

// region: view
// A row of a view, create view open_invoices as select i.id, c.name as customer, i.total from invoices i join
// ...
struct open_invoice {
  std::int64_t id = 0;
  std::string customer;
  corbel::decimal total;
};
constexpr auto describe(corbel::tag<open_invoice>) {
  using namespace corbel::rules;
  using i = open_invoice;
  return object(field("id", &i::id), field("customer", &i::customer), field("total", &i::total));
}
constexpr auto table(corbel::tag<open_invoice>) {
  return corbel::data::table("open_invoices").singular("invoice");  // the key is "id", as in a table
}
inline corbel::data::list_rules list_rules(corbel::tag<open_invoice>) {
  return {
      .filterable = {"customer", "total"}, .sortable = {"customer", "total"}, .default_sort = "total:desc"};
}

task<data::page_of<open_invoice>> list_open(list_query<open_invoice> wanted,
                                            state<data::repository<open_invoice>> open) {
  return open->list(*wanted);
}
// end: view

}  // namespace

TEST_CASE("a list over a view, and numbers that lose nothing") {
  testing::temporary_database db;
  for (const auto* sql :
       {"create table customers (id integer primary key, name text not null)",
        "create table invoices (id integer primary key, customer_id integer not null, total "
        "text not null, paid integer not null)",
        "create view open_invoices as select i.id, c.name as customer, i.total from invoices i "
        "join customers c on c.id = i.customer_id where i.paid = 0",
        "insert into customers values (1, 'Ada'), (2, 'Bob')",
        "insert into invoices values (1, 1, '9.50', 0), (2, 2, '120.00', 0), (3, 2, '7', 1), "
        "(4, 1, '80.00', 0)"})
    testing::run(db->execute(data::trusted(sql)));
  data::repository<open_invoice> open(*db);
  app_settings settings;
  settings.log = logger();
  app server(settings);
  server.provide(open);
  server.get("/invoices/open", &list_open);
  const auto found =
      server.inject(get("/invoices/open?total[gte]=80&sort=total")).json<data::page_of<open_invoice>>();
  REQUIRE(found);
  REQUIRE(found->data.size() == 2);
  CHECK(found->data[0].customer == "Ada");
  CHECK(found->meta.total == 2);

  // region: decimal
  const decimal price = *from_text(corbel::tag<decimal>{}, "19.90");  // empty for what is no number
  const decimal sum = price * 3 + 5;
  CHECK(to_text(sum) == "64.70");                            // exact, with the digits that were there
  CHECK(sum == *from_text(corbel::tag<decimal>{}, "64.7"));  // equal by value
  CHECK(json::to_text(open_invoice{1, "Ada", sum}) == R"({"id":1,"customer":"Ada","total":"64.70"})");
  // end: decimal
}
