// Lists that are filtered by what a JSON column has inside, by the elements of a list, and by decimals; and
// cursors through columns that are finer than what they are read into.

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <variant>

#include "backends.hpp"
#include "corbel/base/decimal.hpp"
#include "corbel/data/repository.hpp"
#include "expect.hpp"

namespace data = corbel::data;
using corbel::decimal;
using corbel::task;
using corbel::testing::run;
using data::comparison;
using data::query_pair;

namespace {

struct limits {
  std::optional<int> rate;
  bool hard = false;
};
constexpr auto describe(corbel::tag<limits>) {
  using namespace corbel::rules;
  return object(field("rate", &limits::rate), field("hard", &limits::hard));
}

struct device {
  std::int64_t id = 0;
  std::string name;
  std::map<std::string, std::string> attributes;
  std::optional<limits> bounds;
  nlohmann::json extra;
  std::vector<std::string> tags;
  std::vector<int> ports;
  std::optional<decimal> price;
};
constexpr auto describe(corbel::tag<device>) {
  using namespace corbel::rules;
  using d = device;
  return object(field("id", &d::id), field("name", &d::name), field("attributes", &d::attributes),
                field("bounds", &d::bounds), field("extra", &d::extra), field("tags", &d::tags),
                field("ports", &d::ports), field("price", &d::price));
}
constexpr auto table(corbel::tag<device>) {
  return data::table("devices");
}

const data::list_rules rules{
    .filterable = {"name", "attributes.color", "attributes.size", "bounds.rate", "bounds.hard", "extra.kind",
                   "extra.deep.on", "tags", "ports", "price"},
    .sortable = {"name", "price"},
    .default_sort = "name"};

decimal price(const char* text) {
  return *from_text(corbel::tag<decimal>{}, text);
}

void fill(const data::database& db) {
  run(db.execute(
      db.language().name == "postgres"
          ? data::sql_text<0>("create table devices (id bigserial primary key, name text not null, "
                              "attributes jsonb not null, bounds jsonb, extra jsonb not null, tags text[] "
                              "not null, ports jsonb not null, price numeric)")
          : data::sql_text<0>("create table devices (id integer primary key, name text not null, "
                              "attributes text not null, bounds text, extra text not null, tags text not "
                              "null, ports text not null, price text)")));
  const data::repository<device> devices(db);
  const auto add = [&](device one) { run(devices.insert(std::move(one))).value(); };
  add({0,
       "a",
       {{"color", "red"}, {"size", "10"}},
       limits{100, true},
       {{"kind", "x"}},
       {"moon", "sun"},
       {80},
       price("10")});
  add({0,
       "b",
       {{"color", "it's \"blue\""}},
       limits{9, false},
       {{"kind", 7}, {"deep", {{"on", true}}}},
       {"mars"},
       {80, 443},
       price("9.50")});
  add({0, "c", {}, limits{{}, false}, {{"kind", nullptr}, {"deep", {{"on", false}}}}, {}, {}, price("-3")});
  add({0, "d", {{"size", "10"}}, {}, {{"other", 1}}, {"a,b", "]=", "{x}"}, {22}, {}});
}

/// The names of what a client's query finds.
std::string found(const data::database& db, std::vector<query_pair> query) {
  const auto wanted = data::parse_list_query<device>(query, rules);
  if (!wanted) {
    std::string all;
    for (const auto& v : wanted.error().violations()) all += v.path + " " + v.message;
    return all;
  }
  std::string names;
  for (const auto& one : run(data::repository<device>(db).list(*wanted)).data) names += one.name;
  return names;
}

}  // namespace

TEST_CASE("a list is filtered by members of its JSON, compared as the types that they have") {
  backends::each([](const data::database& db) {
    fill(db);
    CHECK(found(db, {{"attributes.color", "red"}}) == "a");
    CHECK(found(db, {{"attributes.color", "it's \"blue\""}}) == "b");
    CHECK(found(db, {{"attributes.color[ne]", "red"}}) == "bcd");
    CHECK(found(db, {{"attributes.color[contains]", "BLUE"}}) == "b");
    CHECK(found(db, {{"attributes.size", "10"}, {"attributes.color[ne]", "red"}}) == "d");
    CHECK(found(db, {{"bounds.rate[gt]", "9"}}) == "a");
    CHECK(found(db, {{"bounds.rate[lte]", "10"}}) == "b");
    CHECK(found(db, {{"bounds.rate[ne]", "9"}}) == "acd");
    CHECK(found(db, {{"bounds.hard", "true"}}) == "a");
    CHECK(found(db, {{"bounds.hard", "false"}}) == "bc");
    // Of free-form JSON nothing is known: it is compared as text.
    CHECK(found(db, {{"extra.kind", "x"}}) == "a");
    CHECK(found(db, {{"extra.kind", "7"}}) == "b");
    CHECK(found(db, {{"extra.deep.on", "true"}}) == "b");
    CHECK(found(db, {{"extra.deep.on[ne]", "true"}}) == "acd");

    const data::repository<device> devices(db);
    CHECK(run(devices.count(data::list_query().where("attributes.color", nullptr))) == 2);
    CHECK(run(devices.count(data::list_query().where("bounds.rate", 100))) == 1);
    CHECK(run(devices.count(data::list_query().where("extra.kind", 7))) == 1);
    CHECK_THROWS_AS((void)run(devices.count(data::list_query().where("attributes.a b", 1))),
                    std::logic_error);
    CHECK_THROWS_AS((void)run(devices.count(data::list_query().where("name.first", 1))), std::logic_error);
  });
}

TEST_CASE("a list is filtered by an element of its lists, whether they are JSON or arrays") {
  backends::each([](const data::database& db) {
    fill(db);
    CHECK(found(db, {{"tags[has]", "moon"}}) == "a");
    CHECK(found(db, {{"tags[has]", "mo"}}) == "");
    CHECK(found(db, {{"tags[has]", "a,b"}}) == "d");
    CHECK(found(db, {{"tags[has]", "]="}}) == "d");
    CHECK(found(db, {{"tags[has]", "{x}"}}) == "d");
    CHECK(found(db, {{"ports[has]", "80"}}) == "ab");
    CHECK(found(db, {{"ports[has]", "80"}, {"tags[has]", "mars"}}) == "b");
    CHECK(found(db, {{"ports[has]", "http"}}).starts_with("/ports[has] must be an integer"));
    CHECK(found(db, {{"tags", "moon"}}) == "/tags is a list; write tags[has]=...");
    CHECK(found(db, {{"name[has]", "a"}}).starts_with("/name[has] cannot be compared in this way"));
    const data::repository<device> devices(db);
    const auto by = [&](const char* field, const char* text) {
      return run(devices.count(data::list_query().where(field, text, comparison::has)));
    };
    CHECK(by("tags", "sun") == 1);
    CHECK_THROWS_AS((void)by("name", "a"), std::logic_error);
    const auto contains_number = data::list_query().where("ports", 80, comparison::contains);
    CHECK_THROWS_AS((void)run(devices.count(contains_number)), std::logic_error);
  });
}

TEST_CASE("decimals are compared and sorted by value, wherever they are stored") {
  backends::each([](const data::database& db) {
    fill(db);
    CHECK(found(db, {{"price", "9.5"}}) == "b");
    CHECK(found(db, {{"price[gte]", "9.5"}}) == "ab");
    CHECK(found(db, {{"price[lt]", "0"}}) == "c");
    CHECK(found(db, {{"price[ne]", "10.000"}}) == "bcd");
    CHECK(found(db, {{"sort", "price"}}) == "dcba");
    CHECK(found(db, {{"sort", "price:desc"}}) == "abcd");
    auto query = data::list_query().order_by("price");
    query.limit = 1;
    std::string scanned;
    do {
      const auto stretch = run(data::repository<device>(db).scan(query)).value();
      for (const auto& one : stretch.data) scanned += one.name;
      query.cursor = stretch.meta.next_cursor;
    } while (query.cursor && scanned.size() < 10);
    CHECK(scanned == "dcba");
  });
}

TEST_CASE("what cannot be a list's rule is told at the start") {
  const auto wrong = [](const data::list_rules& one) { return data::check(one, corbel::type_of<device>()); };
  CHECK(wrong(rules).empty());
  const auto only = [&](const data::list_rules& one, std::string_view part) {
    const auto all = wrong(one);
    REQUIRE(all.size() == 1);
    CHECK_MESSAGE(contains(all[0], part), all[0]);
  };
  only({.filterable = {"colour"}}, "\"colour\" in filterable, which is no field");
  only({.filterable = {"bounds.most"}}, "goes on with \"most\"");
  only({.filterable = {"bounds"}}, "name a member inside of it, as \"bounds.member\"");
  only({.filterable = {"attributes.a'b"}}, "other characters than letters");
  only({.sortable = {"tags"}}, "has no order");
  only({.sortable = {"bounds.rate"}}, "is no field");
  only({.sortable = {"name"}, .default_sort = "name:down"}, "stands asc or desc");
  only({.default_limit = 0}, "default_limit 0");
  only({.default_limit = 200}, "most_limit 100; it has to be at least 200");
  const std::vector<query_pair> none;
  CHECK_THROWS_AS((void)data::parse_list_query<device>(none, {.default_limit = 0}), std::logic_error);
}

TEST_CASE("a page has room, and a query that breaks many rules is answered in short") {
  backends::each([](const data::database& db) {
    fill(db);
    data::list_query none;
    none.limit = 0;
    CHECK_THROWS_AS((void)run(data::repository<device>(db).list(none)), std::logic_error);
    CHECK_THROWS_AS((void)run(data::repository<device>(db).scan(none)), std::logic_error);
  });
  std::vector<std::string> names;
  std::vector<query_pair> query;
  for (int i = 0; i < 1000; ++i) names.push_back("x" + std::to_string(i));
  for (const auto& name : names) query.emplace_back(name, "1");
  CHECK(data::parse_list_query<device>(query, rules).error().violations().size() == 100);
}

namespace {

struct event {
  std::int64_t id = 0;
  corbel::timestamp at{};
  double weight = 0;
};
constexpr auto describe(corbel::tag<event>) {
  using namespace corbel::rules;
  return object(field("id", &event::id), field("at", &event::at), field("weight", &event::weight));
}
constexpr auto table(corbel::tag<event>) {
  return data::table("events");
}

/// The ids in the order that stretches of one give.
std::vector<std::int64_t> scanned(const data::database& db, data::list_query query) {
  std::vector<std::int64_t> ids;
  query.limit = 1;
  do {
    const auto stretch = run(data::repository<event>(db).scan(query)).value();
    for (const auto& one : stretch.data) ids.push_back(one.id);
    query.cursor = stretch.meta.next_cursor;
  } while (query.cursor && ids.size() < 20);
  return ids;
}

}  // namespace

TEST_CASE("cursors go by what is stored, where a column is finer than the type that it is read into") {
  backends::each([](const data::database& db) {
    run(db.execute(
        db.language().name == "postgres"
            ? data::sql_text<0>("create table events (id bigint primary key, at timestamptz not null, weight "
                                "numeric not null)")
            : data::sql_text<0>("create table events (id integer primary key, at text not null, weight real "
                                "not null)")));
    run(db.execute(
        "insert into events values (1, '2026-01-02T03:04:05.123456Z', 0.1), "
        "(2, '2026-01-02T03:04:05.123789Z', 0.1000000000000000001), (3, '2026-01-02T03:04:05.123000Z', 0.3), "
        "(4, '2026-01-02T03:04:05.124001Z', 0.2)"));
    using ids = std::vector<std::int64_t>;
    CHECK(scanned(db, data::list_query().order_by("at")) == ids{3, 1, 2, 4});
    CHECK(scanned(db, data::list_query().order_by("at", true)) == ids{4, 2, 1, 3});
    CHECK(scanned(db, data::list_query().order_by("weight").order_by("at", true)).size() == 4);
    if (db.language().name == "postgres")
      CHECK(scanned(db, data::list_query().order_by("weight")) == ids{1, 2, 4, 3});
  });
}

namespace {

struct card {
  std::string last_four;
  std::int64_t cents = 0;
};
constexpr auto describe(corbel::tag<card>) {
  using namespace corbel::rules;
  return object(field("lastFour", &card::last_four), field("cents", &card::cents));
}
struct transfer {
  std::string iban;
  std::int64_t cents = 0;
};
constexpr auto describe(corbel::tag<transfer>) {
  using namespace corbel::rules;
  return object(field("iban", &transfer::iban), field("cents", &transfer::cents));
}
using payment = std::variant<card, transfer>;
constexpr auto describe(corbel::tag<payment>) {
  using namespace corbel::rules;
  return one_of("kind", alternative<card>("card"), alternative<transfer>("transfer"));
}
struct bill {
  std::int64_t id = 0;
  payment paid_by;
  std::optional<payment> refunded_by;
};
constexpr auto describe(corbel::tag<bill>) {
  using namespace corbel::rules;
  return object(field("id", &bill::id), field("paidBy", &bill::paid_by),
                field("refundedBy", &bill::refunded_by));
}
constexpr auto table(corbel::tag<bill>) {
  return data::table("bills");
}

const data::list_rules bill_rules{
    .filterable = {"paidBy.kind", "refundedBy.kind", "paidBy.cents", "paidBy.iban"}, .default_sort = "id"};

std::string bills_found(const data::database& db, std::vector<query_pair> query) {
  const auto wanted = data::parse_list_query<bill>(query, bill_rules);
  if (!wanted) return wanted.error().violations()[0].path + " " + wanted.error().violations()[0].message;
  std::string ids;
  for (const auto& one : run(data::repository<bill>(db).list(*wanted)).data) ids += std::to_string(one.id);
  return ids;
}

}  // namespace

TEST_CASE("a list is filtered by which alternative of a union it is, and by what they have in common") {
  CHECK(data::check(bill_rules, corbel::type_of<bill>()).empty());
  data::list_rules wrong{.filterable = {"paidBy", "paidBy.kind.deeper", "paidBy.sort"}};
  CHECK(data::check(wrong, corbel::type_of<bill>()).size() == 3);
  backends::each([](const data::database& db) {
    run(db.execute(
        db.language().name == "postgres"
            ? data::sql_text<0>("create table bills (id bigint primary key, paid_by jsonb not null, "
                                "refunded_by jsonb)")
            : data::sql_text<0>("create table bills (id integer primary key, paid_by text not null, "
                                "refunded_by text)")));
    const data::repository<bill> bills(db);
    const auto add = [&](bill one) { run(bills.insert(std::move(one))).value(); };
    add({1, card{"4242", 500}, {}});
    add({2, transfer{"DE1", 700}, card{"4242", 700}});
    add({3, transfer{"DE2", 900}, {}});
    CHECK(bills_found(db, {{"paidBy.kind", "card"}}) == "1");
    CHECK(bills_found(db, {{"paidBy.kind[ne]", "card"}}) == "23");
    CHECK(bills_found(db, {{"refundedBy.kind", "card"}}) == "2");
    CHECK(bills_found(db, {{"paidBy.cents[gt]", "600"}, {"paidBy.kind", "transfer"}}) == "23");
    CHECK(bills_found(db, {{"paidBy.iban", "DE2"}}) == "3");
    CHECK(bills_found(db, {{"paidBy.kind", "cash"}}) == "/paidBy.kind must be one of card, transfer");
    CHECK(bills_found(db, {{"paidBy.kind[gt]", "card"}}).starts_with("/paidBy.kind[gt] cannot be compared"));
  });
}
