#include "corbel/data/repository.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "backends.hpp"
#include "corbel/data/constraint.hpp"
#include "expect.hpp"
#include "manual_clock.hpp"
#include "project.hpp"

namespace data = corbel::data;
using corbel::error_kind;
using corbel::result;
using corbel::task;
using corbel::testing::run;

namespace {

std::string numbered(std::string text, int n) {
  return text.append(std::to_string(n));
}

project named(std::string name, int priority = 0) {
  project p;
  p.name = std::move(name);
  p.priority = priority;
  return p;
}

/// A table without any of the extras, keyed by a number of the database's own.
struct label {
  std::int64_t id = 0;
  std::string text;
};
constexpr auto describe(corbel::tag<label>) {
  using namespace corbel::rules;
  return object(field("id", &label::id), field("text", &label::text));
}
constexpr auto table(corbel::tag<label>) {
  return data::table("labels");
}
}  // namespace

TEST_CASE("a row is inserted, found, changed and removed") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    manual_clock time;
    const data::repository<project> projects(db, time);

    const auto made = run(projects.insert(named("Apollo", 3)));
    REQUIRE(made);
    CHECK(made->id != corbel::uuid{});
    CHECK(made->version == 1);
    CHECK(made->created_at == time.time);
    CHECK(run(projects.find(made->id)) == *made);
    CHECK(run(projects.find_by("name", "Apollo")) == *made);
    CHECK(*run(projects.get(made->id)) == *made);
    CHECK(run(projects.exists(made->id)));
    CHECK_FALSE(run(projects.exists(corbel::uuid::v7())));
    CHECK(run(projects.get(corbel::uuid::v7())).error().code() == "project_not_found");

    time.time += std::chrono::seconds(5);
    auto changed = *made;
    changed.name = "Gemini";
    changed.description = "twins";
    changed.created_at = {};  // not the caller's to change
    const auto updated = run(projects.update(changed));
    REQUIRE(updated);
    CHECK(updated->version == 2);
    CHECK(updated->name == "Gemini");
    CHECK(updated->created_at == made->created_at);
    CHECK(updated->updated_at == time.time);
    CHECK(run(projects.find(made->id)) == *updated);

    changed = *updated;
    changed.name = "ignored";
    changed.description.reset();
    changed.priority = 5;
    const auto patched = run(projects.patch(changed, "description", "priority"));
    REQUIRE(patched);
    CHECK(patched->name == "Gemini");
    CHECK(patched->priority == 5);
    CHECK_FALSE(patched->description);
    CHECK(patched->version == 3);

    CHECK(run(projects.remove(made->id)));
    CHECK(run(projects.find(made->id)) == std::nullopt);
    CHECK(run(projects.count()) == 0);
    CHECK(run(projects.remove(made->id)).error().kind() == error_kind::not_found);
    CHECK(run(projects.update(*patched)).error().kind() == error_kind::not_found);
    CHECK(run(db.query_one<int>("select count(*) from projects where deleted_at is not null")) == 1);
  });
}

TEST_CASE("a change to a row that someone else changed is a conflict") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    const auto mine = *run(projects.insert(named("Apollo")));
    const auto theirs = *run(projects.update(mine));
    CHECK(run(projects.update(mine)).error().code() == "version_mismatch");
    CHECK(run(projects.patch(mine, "name")).error().code() == "version_mismatch");
    CHECK(run(projects.remove(mine.id, mine.version)).error().kind() == error_kind::conflict);
    CHECK(run(projects.remove(mine.id, theirs.version)));
  });
}

TEST_CASE("broken constraints come back as values") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    run(projects.insert(named("Apollo"))).value();
    const auto second = *run(projects.insert(named("Gemini")));
    const auto taken = run(projects.insert(named("Apollo")));
    REQUIRE_FALSE(taken);
    REQUIRE(data::constraint_of(taken.error()));
    CHECK(data::constraint_of(taken.error())->is_unique_on("name"));
    auto renamed = second;
    renamed.name = "Apollo";
    CHECK(run(projects.update(renamed)).error().kind() == error_kind::conflict);
    CHECK(run(projects.insert(named("Mercury", 9))).error().kind() == error_kind::unprocessable);
    CHECK(run(projects.count()) == 2);
  });
}

TEST_CASE("many rows are inserted together or not at all") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    std::vector<project> rows;
    for (int i = 0; i < 3000; ++i) rows.push_back(named(numbered("p", i), i % 6));
    const auto stored = run(projects.insert_many(rows));
    REQUIRE(stored);
    CHECK(run(projects.count()) == 3000);
    CHECK(run(projects.find((*stored)[1234].id))->name == "p1234");
    rows.clear();
    for (int i = 0; i < 1000; ++i) rows.push_back(named(numbered("q", i)));
    rows.push_back(named("p7"));
    CHECK(run(projects.insert_many(rows)).error().kind() == error_kind::conflict);
    CHECK(run(projects.count()) == 3000);
    CHECK(run(projects.insert_many({})));
  });
}

TEST_CASE("a numeric key is the database's to give, and a plain table needs no extras") {
  backends::each([](const data::database& db) {
    const bool counts_itself = db.language().name == "sqlite";
    run(db.execute(data::trusted(std::string("create table labels (id integer primary key") +
                                 (counts_itself ? "" : " generated by default as identity") +
                                 ", text text not null)")));
    const data::repository<label> labels(db);
    CHECK(run(labels.insert({0, "a"}))->id == 1);
    CHECK(run(labels.insert({7, "b"}))->id == 7);
    const auto more = run(labels.insert_many({{0, "c"}, {0, "d"}, {20, "e"}, {0, "f"}}));
    REQUIRE(more);
    for (const auto& one : *more) CHECK(run(labels.find(one.id))->text == one.text);
    CHECK(run(labels.update({7, "bb"}))->text == "bb");
    CHECK(run(labels.patch(label{7, "ignored"}))->text == "bb");
    CHECK(run(labels.update({99, "x"})).error().code() == "label_not_found");
    CHECK(run(labels.remove(7)));
    CHECK(run(db.query_one<int>("select count(*) from labels where id = 7")) == 0);
  });
}

namespace {

task<result<project>> insert_two(data::transaction& tx, std::string first, std::string second) {
  const data::repository<project> projects(tx);
  auto one = co_await projects.insert(named(std::move(first)));
  if (!one) co_return one;
  auto two = co_await projects.insert(named(std::move(second)));
  co_return two;
}

task<void> insert_nested(data::transaction& tx, data::repository<project> projects) {
  const auto inside = projects.in(tx);
  std::vector<project> rows;
  rows.push_back(named("a"));
  rows.push_back(named("b"));
  const auto both = co_await inside.insert_many(std::move(rows));
  CHECK(both.has_value());
  const auto taken = co_await tx.transact(&insert_two, std::string("c"), std::string("a"));
  CHECK_FALSE(taken.has_value());
  const auto last = co_await inside.insert(named("d"));
  CHECK(last.has_value());
}

}  // namespace

TEST_CASE("a repository works in a transaction") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    CHECK(run(db.transact(&insert_two, std::string("x"), std::string("x"))).error().kind() ==
          error_kind::conflict);
    CHECK(run(projects.count()) == 0);
    run(db.transact(&insert_nested, projects));
    CHECK(run(projects.count()) == 3);
    CHECK(run(projects.find_by("name", "c")) == std::nullopt);
  });
}

TEST_CASE("a field that does not exist is the programmer's mistake") {
  backends::each([](const data::database& db) {
    run(db.execute(create_projects));
    const data::repository<project> projects(db);
    CHECK_THROWS_AS(run(projects.find_by("name\" or 1=1 --", "x")), std::logic_error);
    CHECK_THROWS_AS(run(projects.list(data::list_query().where("nope", 1))), std::logic_error);
    CHECK_THROWS_AS((void)run(projects.patch(project{}, "nope")), std::logic_error);
  });
}

namespace {

struct tally {
  std::int64_t id = 0;
  int count = 0;
  int twice = 0;
};
constexpr auto describe(corbel::tag<tally>) {
  using namespace corbel::rules;
  return object(field("id", &tally::id), field("count", &tally::count), field("twice", &tally::twice));
}
constexpr auto table(corbel::tag<tally>) {
  return data::table("tallies").singular("tally").generated("twice");
}

void make_tallies(const data::database& db) {
  run(db.execute(
      db.language().name == "postgres"
          ? data::sql_text<0>("create table tallies (id bigserial primary key, count integer not null, "
                              "twice integer generated always as (2 * count) stored)")
          : data::sql_text<0>("create table tallies (id integer primary key, count integer not null, "
                              "twice integer generated always as (2 * count) stored)")));
}

task<result<tally>> count_one(data::transaction& tx, std::int64_t id) {
  const data::repository<tally> tallies(tx);
  auto found = co_await tallies.get_for_update(id);
  if (!found) co_return found;
  boost::asio::steady_timer pause(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(1));
  co_await pause.async_wait(boost::asio::use_awaitable);
  ++found->count;
  co_return co_await tallies.update(*std::move(found));
}

task<void> count_for_many(data::database db, std::int64_t id) {
  int ended = 0;
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto one = [](data::database on, std::int64_t which, int* done) -> task<void> {
    for (int i = 0; i < 5; ++i) {
      const auto counted = co_await on.transact(&count_one, which);
      CHECK(counted.has_value());
    }
    ++*done;
  };
  for (int i = 0; i < 8; ++i) boost::asio::co_spawn(executor, one(db, id, &ended), boost::asio::detached);
  boost::asio::steady_timer pause(executor);
  while (ended < 8) {
    pause.expires_after(std::chrono::milliseconds(2));
    co_await pause.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace

TEST_CASE("changes of one row at once all count when each has read it for update") {
  backends::each([](const data::database& db) {
    make_tallies(db);
    const data::repository<tally> tallies(db);
    const auto made = run(tallies.insert({})).value();
    run(count_for_many(db, made.id));
    CHECK(run(tallies.get(made.id))->count == 40);
    CHECK(failure_of(tallies.get_for_update(made.id)).kind() == error_kind::internal);
    CHECK(failure_of(tallies.get_for_share(made.id)).kind() == error_kind::internal);
    run(db.transact([](data::transaction& tx) -> task<void> {
      const data::repository<tally> inside(tx);
      const auto none = co_await inside.get_for_share(99);
      CHECK(none.error().code() == "tally_not_found");
    }));
  });
}

TEST_CASE("what the database computes is read, and never written") {
  backends::each([](const data::database& db) {
    make_tallies(db);
    const data::repository<tally> tallies(db);
    const auto made = run(tallies.insert({0, 3, 99})).value();
    CHECK(made.twice == 6);
    const auto many = run(tallies.insert_many({{0, 4, 1}, {0, 5, 1}})).value();
    CHECK(many[0].twice == 8);
    CHECK(many[1].twice == 10);
    CHECK(run(tallies.update({made.id, 7, 0}))->twice == 14);
    CHECK(run(tallies.upsert({made.id, 8, 0}))->twice == 16);
    CHECK_THROWS_AS((void)run(tallies.remove(made.id, 1)), std::logic_error);
  });
}

TEST_CASE("a row comes back as it was stored, whatever the table made of it") {
  backends::each([](const data::database& db) {
    const bool postgres = db.language().name == "postgres";
    run(db.execute(postgres
                       ? data::sql_text<0>("create table labels (id bigserial primary key, text varchar(20))")
                       : data::sql_text<0>("create table labels (id integer primary key, text text)")));
    if (postgres) {
      run(
          db.execute("create function shout() returns trigger language plpgsql as "
                     "'begin new.text := upper(new.text); return new; end'"));
      run(db.execute("create trigger shouts before insert on labels for each row execute function shout()"));
    }
    const data::repository<label> labels(db);
    CHECK(run(labels.insert({0, "a"}))->text == (postgres ? "A" : "a"));
    const auto many = run(labels.insert_many({{0, "b"}, {0, "c"}})).value();
    CHECK(many[1].text == (postgres ? "C" : "c"));
    if (!postgres) return;
    run(db.execute("create function swallow() returns trigger language plpgsql as 'begin return null; end'"));
    run(db.execute(
        "create trigger swallows before insert on labels for each row execute function swallow()"));
    CHECK(contains(failure_of(labels.insert({0, "d"})).cause(), "a trigger or a rule takes the others away"));
  });
}
