// What the database's own rules refuse, beyond the plain constraints, is told alike by every database.

#include "backends.hpp"
#include "corbel/data/constraint.hpp"
#include "expect.hpp"

namespace data = corbel::data;
using corbel::error_kind;
using corbel::testing::run;

namespace {

corbel::error refusal_of(const data::database& db, const char* sql) {
  const data::trusted text{std::string(sql)};
  return failure_of(db.execute(text));
}

/// A trigger that refuses an id above 9, in the ways that there are.
std::vector<std::string> triggers_in(const data::dialect& of) {
  if (of.name == "sqlite") {
    std::vector<std::string> all;
    for (const std::string how : {"abort", "fail", "rollback"})
      all.push_back("create trigger few before insert on people when new.id > 9 begin select raise(" + how +
                    ", 'secret'); end");
    return all;
  }
  return {
      "do $do$ begin create or replace function refuse() returns trigger language plpgsql as $$ begin if "
      "new.id > 9 then raise exception 'secret'; end if; return new; end $$; create trigger few before "
      "insert on people for each row execute function refuse(); end $do$"};
}

}  // namespace

TEST_CASE("a row that others refer to stays, whether they restrict or say nothing") {
  backends::each([](const data::database& db) {
    for (const char* rule : {"", " on delete restrict on update restrict"}) {
      CAPTURE(rule);
      run(db.execute("drop table if exists visits"));
      run(db.execute("drop table if exists people"));
      run(db.execute("create table people (id integer primary key)"));
      const data::trusted visits{"create table visits (person_id integer not null references people (id)" +
                                 std::string(rule) + ")"};
      run(db.execute(visits));
      run(db.execute("insert into people values (1)"));
      run(db.execute("insert into visits values (1)"));
      for (const char* sql : {"delete from people", "update people set id = 2"}) {
        CAPTURE(sql);
        const auto refused = refusal_of(db, sql);
        CHECK(refused.kind() == error_kind::conflict);
        CHECK(refused.code() == "foreign_key_violation");
        REQUIRE(data::constraint_of(refused));
        CHECK(data::constraint_of(refused)->kind == data::constraint_kind::foreign_key);
      }
    }
  });
}

TEST_CASE("what a trigger refuses is a rule that was broken, and its words are for the log") {
  backends::each([](const data::database& db) {
    run(db.execute("create table people (id integer primary key)"));
    for (const auto& sql : triggers_in(db.language())) {
      CAPTURE(sql);
      const data::trusted make(sql);
      run(db.execute(make));
      const auto refused = refusal_of(db, "insert into people values (10)");
      CHECK(refused.kind() == error_kind::unprocessable);
      CHECK(refused.code() == "rule_violation");
      CHECK(refused.message() == "A rule of the stored data refused these values.");
      CHECK(contains(refused.cause(), "secret"));
      CHECK_FALSE(data::constraint_of(refused));
      run(db.execute("insert into people values (1)"));
      run(db.execute("delete from people"));
      if (db.language().name == "sqlite") run(db.execute("drop trigger few"));
    }
  });
}
