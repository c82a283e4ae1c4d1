#include <doctest/doctest.h>
#include <corbel/corbel.hpp>
#include <corbel/data/postgres/database.hpp>
#include <corbel/data/postgres/postgres.hpp>
#include <corbel/data/repository.hpp>
#include <corbel/observe/log.hpp>
#include <corbel/testing/client.hpp>
#include <corbel/testing/postgres.hpp>
#include <corbel/testing/run.hpp>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace corbel;

namespace {

struct product {
  std::int64_t id = 0;
  std::string sku;
  std::string title;
  int stock = 0;
};
constexpr auto describe(corbel::tag<product>) {
  using namespace corbel::rules;
  using p = product;
  return object(field("id", &p::id), field("sku", &p::sku), field("title", &p::title),
                field("stock", &p::stock));
}
constexpr auto table(corbel::tag<product>) {
  return corbel::data::table("products");
}

struct price_cache {
  int reloads = 0;
  std::vector<std::string> dropped;
  task<> reload(data::source) {
    ++reloads;
    co_return;
  }
  void drop(const std::string& sku) { dropped.push_back(sku); }
};

// region: listen
task<> follow_prices(postgres::database pg, price_cache* prices) {
  auto changes = co_await pg.listen("price_changed");
  co_await prices->reload(pg);  // from here on, nothing is missed without a word
  for (;;) {
    const auto heard = co_await changes.next();
    if (const auto* said = std::get_if<postgres::notification>(&heard))
      prices->drop(said->payload);
    else
      co_await prices->reload(pg);  // may_have_missed
  }
}
// end: listen

// region: notify
task<> set_price(data::transaction& tx, postgres::database pg, std::string sku, int cents) {
  co_await tx.execute("update prices set cents = $1 where sku = $2", cents, sku);
  co_await pg.notify(tx, "price_changed", sku);  // heard when tx commits, and only then
}
// end: notify

// region: copy_rows
task<std::int64_t> import(postgres::database pg, std::vector<product> all) {
  co_return co_await pg.copy_in("products", std::move(all));  // all of them, or none
}

task<std::int64_t> total_stock(postgres::database pg, int least) {
  auto rows = co_await pg.copy_out<product>("select * from products where stock >= $1", least);
  std::int64_t sum = 0;
  while (const auto one = co_await rows.next()) sum += one->stock;  // some rows at a time in memory
  co_return sum;
}
// end: copy_rows

// region: copy_text
response export_products(state<postgres::database> pg) {
  response out;
  out.stream("text/csv", [db = *pg](body_sink& to) -> task<> {
    auto text = co_await db.copy_out_text(
        "copy (select sku, stock from products order by sku) to stdout (format csv)");
    while (const auto piece = co_await text.next()) co_await to.write(*piece);
  });
  return out;
}

task<std::int64_t> import_text(state<postgres::database> pg, body_stream body) {
  auto in = co_await pg->copy_in_text("copy products (id, sku, title, stock) from stdin (format csv)");
  for (auto piece = co_await body.read(); !piece.empty(); piece = co_await body.read())
    co_await in.write(std::string(piece));
  co_return co_await in.finish();  // without it nothing is stored
}
// end: copy_text

// region: upsert
task<result<product>> put_product(data::repository<product> products, product p) {
  co_return co_await products.upsert(p, "sku");  // `sku` is unique
}
// end: upsert

struct job {
  std::int64_t id = 0;
  std::string payload;
  bool done = false;
};
constexpr auto describe(corbel::tag<job>) {
  using namespace corbel::rules;
  return object(field("id", &job::id), field("payload", &job::payload), field("done", &job::done));
}
constexpr auto table(corbel::tag<job>) {
  return corbel::data::table("jobs");
}
void perform(const job&) {}

// region: claim
task<int> work_once(data::transaction& tx, postgres::database pg) {
  auto open = data::list_query().where("done", false).order_by("id");
  open.limit = 10;
  const auto mine = co_await pg.claim<job>(tx, open);  // for update skip locked
  for (const auto& one : mine) {
    perform(one);
    co_await tx.execute("update jobs set done = true where id = $1", one.id);
  }
  co_return static_cast<int>(mine.size());
}
// end: claim

// region: locked
task<result<product>> take_one(data::transaction& tx, postgres::database pg, std::int64_t id) {
  auto found = co_await pg.get_locked<product>(tx, id);  // others wait until tx ends
  if (!found) co_return found;
  if (found->stock == 0) co_return unprocessable("It is sold out.", "sold_out");
  --found->stock;
  const data::repository<product> products(tx);
  co_return co_await products.update(*found);
}
// end: locked

// region: search
task<std::vector<postgres::search_hit<product>>> find_products(postgres::database pg, std::string words) {
  // The words are as typed: apollo -"moon landing" or gemini
  co_return co_await pg.search<product>(postgres::text_search(std::move(words)).excerpt_of("title"));
}
// end: search

// region: jsonb
task<std::vector<std::string>> with_settings(data::source db, nlohmann::json part) {
  co_return co_await db.query<std::string>("select name from devices where settings @> $1::jsonb", part);
}
task<std::vector<std::string>> with_key(data::source db, std::string key) {
  co_return co_await db.query<std::string>("select name from devices where settings ? $1", key);
}
task<std::vector<std::string>> by_path(data::source db, std::string path) {  // $.limits.rate ? (@ > 100)
  co_return co_await db.query<std::string>("select name from devices where settings @? $1::jsonpath", path);
}
// end: jsonb

// region: nearest
task<std::vector<std::int64_t>> nearest(data::source db, std::vector<float> to) {
  const data::trusted sql("select id from items order by embedding <-> $1::vector limit 10");
  co_return co_await db.query<std::int64_t>(sql, to);
}
// end: nearest

task<> refresh_totals(postgres::database pg, logger log) {
  // region: refresh
  postgres::refresh_schedule how(std::chrono::minutes(5));
  how.on_error = [log](const error& e) { log.error("totals were not refreshed", {{"error", e}}); };
  co_await pg.refresh_every("totals", how);  // until it is cancelled
  // end: refresh
}

task<double> milliseconds_of(postgres::database pg) {
  // region: explain
  const auto plan = co_await pg.explain("delete from products where stock = $1", 0);  // undone
  const double took = plan.at("Execution Time");
  // end: explain
  co_return took;
}

}  // namespace

TEST_CASE("the page of Postgres's own features") {
  const testing::temporary_postgres own;
  // region: slow
  auto how = postgres::parse_url(own.url()).value();  // or "...?slow_query=200ms"
  how.slow_query = std::chrono::milliseconds(200);
  how.log = log_to_stderr();
  postgres::database pg(postgres::open(how));
  // end: slow
  testing::run(pg.execute("create table prices (sku text primary key, cents int)"));
  testing::run(pg.execute("create table jobs (id int primary key, payload text, done boolean)"));
  testing::run(pg.execute("create table devices (name text, settings jsonb)"));
  testing::run(pg.execute(
      "create table products (id bigint primary key, sku text unique, title text, stock int, search "
      "tsvector generated always as (to_tsvector('english', title)) stored)"));

  testing::run([](postgres::database db) -> task<> {
    price_cache prices;
    auto stream = co_await db.listen("price_changed");
    co_await db.transact(&set_price, db, std::string("a"), 5);
    const auto heard = co_await stream.next();
    CHECK(std::get<postgres::notification>(heard).payload == "a");
  }(pg));

  std::vector<product> all(2);
  all[0].id = 1;
  all[0].sku = "a";
  all[0].title = "A rocket";
  all[0].stock = 3;
  all[1].id = 2;
  all[1].sku = "b";
  CHECK(testing::run(import(pg, all)) == 2);
  CHECK(testing::run(total_stock(pg, 1)) == 3);
  all[0].id = 3;
  all[0].stock = 1;
  CHECK(testing::run(put_product(data::repository<product>(pg), all[0]))->id == 1);
  CHECK(testing::run(find_products(pg, "rockets")).at(0).highlight == "A <mark>rocket</mark>");
  CHECK(testing::run(pg.transact(&take_one, pg, std::int64_t{1}))->stock == 0);
  CHECK(testing::run(pg.transact(&take_one, pg, std::int64_t{1})).error().code() == "sold_out");
  testing::run(pg.execute("insert into jobs values (1, 'x', false)"));
  CHECK(testing::run(pg.transact(&work_once, pg)) == 1);
  CHECK(testing::run(pg.transact(&work_once, pg)) == 0);
  testing::run(pg.execute("insert into devices values ('lamp', '{\"color\": \"red\", \"rate\": 5}')"));
  CHECK(testing::run(with_settings(pg, nlohmann::json{{"color", "red"}})).size() == 1);
  CHECK(testing::run(with_key(pg, "color")).size() == 1);
  CHECK(testing::run(by_path(pg, "$.rate ? (@ > 4)")).size() == 1);
  CHECK(testing::run(milliseconds_of(pg)) >= 0);
  const auto start = [&] {
    // region: extension
    pg.require_extension_now("vector");  // throws, and says what to install
    // end: extension
  };
  CHECK_THROWS_AS(start(), failure);
  CHECK_THROWS_AS(testing::run(nearest(pg, std::vector<float>(3))), failure);

  app server;
  server.provide(pg);
  server.get("/products.csv", &export_products);
  server.post("/products.csv", &import_text);
  CHECK(server.inject(get("/products.csv")).body() == "a,0\nb,0\n");
  CHECK(server.inject(post("/products.csv").body("7,c,Seven,1\n", "text/csv")).body() == "1");
  (void)&follow_prices;
  (void)&refresh_totals;
  pg.stop();
}
