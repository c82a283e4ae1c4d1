#pragma once

#include <string>

#include "corbel/data/migrations.hpp"

/// What the tests of migrations apply, and the processes that they start and kill.
namespace migration_sets {

using corbel::data::migration_set;

/// Two tables each, and the way back.
inline migration_set three_steps() {
  migration_set set;
  for (const std::string n : {"1", "2", "3"}) {
    set.add("000" + n + "_step.sql", "create table a" + n + " (x integer);\ninsert into a" + n +
                                         " values (1);\ncreate table b" + n + " (x integer);\n");
    set.add("000" + n + "_step.down.sql", "drop table a" + n + ";\ndrop table b" + n + ";\n");
  }
  return set;
}

/// The second step without a transaction, in statements that can be repeated.
inline migration_set bare_steps() {
  migration_set set;
  set.add("0001_a.sql", "create table a (x integer);\n");
  set.add("0002_b.sql",
          "-- corbel: no-transaction\ndrop table if exists b;\ncreate table b (x integer);\n"
          "insert into b values (1);\n");
  set.add("0003_c.sql", "insert into b values (2);\ncreate table c (x integer);\n");
  return set;
}

/// Each adds two tables and a row, slowly enough to be hit in the middle.
inline migration_set many(int count) {
  migration_set set;
  for (int i = 1; i <= count; ++i) {
    const std::string n = std::to_string(1000 + i);
    set.add(n + "_step.sql", "create table a" + n +
                                 " (x integer);\nwith recursive n(i) as (select 1 union all select i+1 "
                                 "from n where i < 2000) insert into a" +
                                 n + " select i from n;\ncreate table b" + n + " (x integer);");
  }
  return set;
}

/// Each stores two rows in `runs`, slowly; all but the third without a transaction.
inline migration_set counted_runs() {
  migration_set set;
  for (const std::string n : {"1", "2", "3", "4"})
    set.add("000" + n + "_step.sql",
            (n == "3" ? std::string() : "-- corbel: no-transaction\n") +
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
                "insert into runs select " +
                n + " from n where i = 1;\ninsert into runs values (" + n + ");\n");
  return set;
}

}  // namespace migration_sets
