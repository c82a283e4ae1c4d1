#include <doctest/doctest.h>
#include <corbel/data/postgres/pqxx.hpp>
#include <corbel/testing/postgres.hpp>
#include <corbel/testing/run.hpp>

#include <string>

using namespace corbel;

namespace {

// region: with_connection
int count_orders(pqxx::connection& c, std::string customer) {  // code that was there before
  pqxx::work tx(c);
  const auto rows = tx.exec_params("select count(*) from orders where customer = $1", customer);
  return rows[0][0].as<int>();
}

task<int> orders_of(postgres::database pg, std::string customer) {
  co_return co_await pg.with_connection(&count_orders, customer);
}
// end: with_connection

}  // namespace

TEST_CASE("the page's libpqxx code runs") {
  const testing::temporary_postgres own;
  const postgres::database pg(*own);
  testing::run(pg.execute("create table orders (customer text)"));
  CHECK(testing::run(orders_of(pg, "a")) == 0);
}
