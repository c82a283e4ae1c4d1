// Compiled by refused.py, one CASE at a time. CASE 0 is right, each other has one mistake that the compiler
// has to refuse with the sentence beside it.
#include "corbel/data/repository.hpp"

namespace data = corbel::data;

struct thing {
  int id = 0;
};
constexpr auto describe(corbel::tag<thing>) {
  using namespace corbel::rules;
  return object(field("id", &thing::id));
}
#if CASE == 8
constexpr auto table(corbel::tag<thing>) {
  return data::table("things").version("revision");
}  // no field of
#elif CASE != 9
constexpr auto table(corbel::tag<thing>) {
  return data::table("things");
}
#endif

corbel::task<void> keep(data::transaction& tx, int n) {
  co_await tx.execute("insert into t values ($1)", n);
}

corbel::task<void> use(data::database db, std::string made) {
#if CASE == 0
  co_await db.execute("update t set a = $1 where b = '$2' -- $3", 1);
  co_await db.execute(data::trusted(made));
  co_await db.execute("select a ? 'b', a::text, '%s' from t where c = $1 and a ?| d", 1);
  co_await db.transact(&keep, 1);
  data::repository<thing> things(db);
  (void)co_await things.find(1);
#elif CASE == 1
  co_await db.execute("select $1, $2", 1);  // this_SQL_has_more_placeholders_than_arguments
#elif CASE == 2
  co_await db.execute("select $1", 1, 2);  // this_SQL_has_fewer_placeholders_than_arguments
#elif CASE == 3
  co_await db.execute("select $2, $2", 1, 2);  // this_SQL_skips_a_placeholder_use_each_of_them_from_1_up
#elif CASE == 4
  co_await db.execute("select 'it's'");  // this_SQL_has_a_quote_that_never_ends
#elif CASE == 5
  co_await db.execute("select 1 /* why");  // this_SQL_has_a_comment_that_never_ends
#elif CASE == 6
  co_await db.execute("select $0", 1);  // placeholders_are_counted_from_1_to_1000
#elif CASE == 7
  auto body = [made](data::transaction& tx) -> corbel::task<void> { co_await tx.execute("select 1"); };
  co_await db.transact(body);  // the body of a transaction captures nothing
#elif CASE == 8 || CASE == 9
  data::repository<thing> things(db);  // write `constexpr auto table(corbel::tag<T>)` beside this type
  (void)co_await things.find(1);
#elif CASE == 11
  co_await db.execute("update t set a = ? where b = ?", 1, 2);  // placeholders_are_written_as
#elif CASE == 12
  co_await db.execute("update t set a = :a where b = :b", 1, 2);  // placeholders_are_written_as
#elif CASE == 13
  co_await db.execute("update t set a = %s", 1);  // placeholders_are_written_as
#elif CASE == 10
  co_await db.execute(made);  // SQL is a literal
#endif
}
