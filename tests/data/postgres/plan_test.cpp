// What the driver reads out of SQL: where a script's statements end, what a statement may leave behind, which
// plans are kept.

#include "data/postgres/plan.hpp"

#include "data/postgres/script.hpp"
#include "support/tasks.hpp"

using postgres::classify;

namespace {

std::vector<std::string> split(std::string_view script) {
  std::vector<std::string> all;
  for (const auto& one : postgres::split_script(script))
    all.push_back(std::to_string(one.line) + ":" + std::string(one.text));
  return all;
}
using list = std::vector<std::string>;

postgres::plan_ptr plan_of(const std::string& text) {
  const postgres::plan_ptr made(new postgres::plan);
  made->text = text;
  return made;
}

}  // namespace

TEST_CASE("a script is split where its statements end, and nowhere else") {
  CHECK(split("").empty());
  CHECK(split(" ;; -- nothing\n; /* ; */ ").empty());
  CHECK(split("select 1") == list{"1:select 1"});
  CHECK(split("select 1;\n\nselect 2;") == list{"1:select 1", "3:select 2"});
  CHECK(split("select ';'; select \";\"; select E'\\';'; select $$;$$; select $a$;$$;$a$;") ==
        list{"1:select ';'", "1:select \";\"", "1:select E'\\';'", "1:select $$;$$", "1:select $a$;$$;$a$"});
  CHECK(split("select 1 -- one;\n+ 1; /* ; /* ; */ ; */ select 2") ==
        list{"1:select 1 -- one;\n+ 1", "2:select 2"});
  CHECK(split("-- first\n\nselect 1;") == list{"3:select 1"});
  const std::string atomic =
      "create function f() returns int language sql begin atomic select case when true then 1 end; select 2; "
      "end";
  CHECK(split(atomic + ";select 3") == list{"1:" + atomic, "1:select 3"});
  CHECK(split("create procedure p() BEGIN ATOMIC end; select 1") ==
        list{"1:create procedure p() BEGIN ATOMIC end", "1:select 1"});
  // A column may be called so.
  CHECK(split("select atomic from t; select 1") == list{"1:select atomic from t", "1:select 1"});
  // What never ends is one statement, for the server to refuse.
  CHECK(split("select 'a; b") == list{"1:select 'a; b"});
  CHECK(split("select $x$ a; b") == list{"1:select $x$ a; b"});
  CHECK(split("select /* a; b") == list{"1:select /* a; b"});
  CHECK(split("select 1\r\n;\r\nselect 2") == list{"1:select 1\r\n", "3:select 2"});
}

TEST_CASE("statements that begin or end transactions are known by their first words") {
  for (const char* sql :
       {"begin", "BEGIN work", "start transaction", "commit", "end", "rollback", "abort", "ROLLBACK WORK",
        "prepare transaction 'x'", "/* a */ -- b\n commit", "rollback prepared 'x'"})
    CHECK_MESSAGE(classify(sql).controls_transaction, sql);
  for (const char* sql : {"savepoint a", "release savepoint a", "rollback to a",
                          "rollback work to savepoint a", "ROLLBACK TRANSACTION TO a"}) {
    CHECK_MESSAGE(classify(sql).controls_savepoint, sql);
    CHECK_FALSE_MESSAGE(classify(sql).controls_transaction, sql);
  }
  for (const char* sql : {"select 1 -- begin", "insert into t values ('commit')", "select \"commit\" from t",
                          "prepare x as select 1", "", ";", "select commit from t"}) {
    CHECK_FALSE_MESSAGE(classify(sql).controls_transaction, sql);
    CHECK_FALSE_MESSAGE(classify(sql).controls_savepoint, sql);
  }
}

TEST_CASE("statements that may leave something on their session are known") {
  for (const char* sql : {"set search_path to x",
                          "SET LOCAL x = 1",
                          "reset all",
                          "listen a",
                          "unlisten *",
                          "declare c cursor for select 1",
                          "prepare x as select 1",
                          "load 'x'",
                          "do $$ begin end $$",
                          "call p()",
                          "discard all",
                          "deallocate x",
                          "create temp table t (n int)",
                          "create temporary view v as select 1",
                          "create table pg_temp.t (n int)",
                          "select 1 into temp x",
                          "select set_config('a', 'b', false)",
                          "select pg_advisory_lock(1)",
                          "select pg_catalog.pg_advisory_lock(1)",
                          "select pg_try_advisory_lock_shared(1)",
                          "with a as (select set_config('a', 'b', false)) select * from a",
                          "select \"pg_advisory_lock\"(1)",
                          "select \"set_config\"('a', 'b', false)"})
    CHECK_MESSAGE(classify(sql).leaves_state, sql);
  for (const char* sql : {"select 1", "insert into settings values ('set')", "update t set n = 1",
                          "select pg_advisory_xact_lock(1)", "select 'temp'", "select 1 -- set_config"})
    CHECK_FALSE_MESSAGE(classify(sql).leaves_state, sql);
}

TEST_CASE("the functions that a statement calls are known by name, for the catalog to tell what they do") {
  const auto calls = [](const char* sql) { return classify(sql).calls; };
  CHECK(calls("select 1").empty());
  CHECK(calls("select count(*), coalesce(a, b) from t where c in (1, 2) and (d or not (e))").empty());
  CHECK(calls("select Lower(a), api.\"Make It\" ( /* ! */ 1) from t") == list{"lower", "Make It"});
  CHECK(calls("insert into t (a, b) values (f($1), 'g(1)') -- h(1)") == list{"t", "f"});
  const auto asked = [](const char* sql) { return std::get<std::string>(names_of_calls(classify(sql))); };
  CHECK(asked("select 1") == "{}");
  CHECK(asked("select f(1), \"a\"\"b\\\"(2)") == R"({"f","a\"b\\"})");
}

TEST_CASE("what cannot be undone in its middle, and what copies, is known") {
  for (const char* sql : {"call p()", "DO $$ begin end $$", "vacuum", "create index concurrently i on t (n)",
                          "reindex table t", "drop index concurrently i", "cluster"})
    CHECK_MESSAGE(classify(sql).not_undone, sql);
  for (const char* sql : {"select 1", "create index i on t (n)", "insert into t values ('call')"})
    CHECK_FALSE_MESSAGE(classify(sql).not_undone, sql);
  for (const char* sql :
       {"copy t from stdin", "COPY (select 1) TO STDOUT", "copy t (a) from stdin (format csv)"})
    CHECK_MESSAGE(classify(sql).copies, sql);
  for (const char* sql : {"copy t from '/x'", "select stdin from t", "copy t to program 'x'"})
    CHECK_FALSE_MESSAGE(classify(sql).copies, sql);
}

TEST_CASE("only what reads, locks nothing and is quick may share a Sync") {
  for (const char* sql :
       {"select 1", "(select 1)", "with a as (select 1) select * from a", "values (1)", "table t", "show x"})
    CHECK_MESSAGE(classify(sql).only_reads, sql);
  for (const char* sql :
       {"insert into t values (1)", "with a as (delete from t returning n) select * from a",
        "with a as (update t set n = 1) select 1", "merge into t using u on true when matched then delete",
        "create table t (n int)", "select 1 into t2", "explain analyze delete from t", "vacuum", ""})
    CHECK_FALSE_MESSAGE(classify(sql).only_reads, sql);
  CHECK(classify("select n from t for update").locks);
  CHECK(classify("select n from t for no key update skip locked").locks);
  CHECK(classify("select n from t for share").locks);
  CHECK(classify("select n from t for key share").locks);

  postgres::plan p;
  p.kind = classify("select 1");
  CHECK_FALSE(p.may_share());  // its time is not known
  p.usual = 100us;
  CHECK(p.may_share());
  p.usual = 1ms;
  CHECK_FALSE(p.may_share());
  p.usual = 100us;
  for (const char* sql :
       {"insert into t values (1)", "select n from t for update", "select set_config('a', 'b', true)"}) {
    p.kind = classify(sql);
    CHECK_FALSE_MESSAGE(p.may_share(), sql);
  }
}

TEST_CASE("the plan used longest ago goes first, and one in use stays") {
  postgres::plan_cache cache(3);
  CHECK(cache.add(plan_of("a")).empty());
  CHECK(cache.add(plan_of("b")).empty());
  CHECK(cache.add(plan_of("c")).empty());
  CHECK(cache.find("a"));  // now the newest
  auto dropped = cache.add(plan_of("d"));
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0]->text == "b");
  CHECK_FALSE(cache.find("b"));
  CHECK(cache.size() == 3);

  const auto held = cache.find("c");
  CHECK(cache.find("a"));
  CHECK(cache.find("d"));
  dropped = cache.add(plan_of("e"));  // c is the oldest, but somebody waits for it
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0]->text == "a");
  CHECK(cache.find("c") == held);

  // A plan of the same text that came later is not removed in its place.
  const auto old = cache.find("d");
  cache.remove(*old);
  CHECK_FALSE(cache.find("d"));
  cache.add(plan_of("d"));
  cache.remove(*old);
  CHECK(cache.find("d"));
}

TEST_CASE("a cache all of whose plans are in use grows for a while, and shrinks again") {
  postgres::plan_cache cache(2);
  std::vector<postgres::plan_ptr> held;
  for (const char* text : {"a", "b", "c", "d"}) {
    held.push_back(plan_of(text));
    CHECK(cache.add(held.back()).empty());
  }
  CHECK(cache.size() == 4);
  held.clear();
  CHECK(cache.add(plan_of("e")).size() == 3);
  CHECK(cache.size() == 2);
  CHECK(cache.find("e"));
  CHECK(cache.find("d"));
}
