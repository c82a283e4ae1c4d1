#pragma once

#include <cstdint>

#include "corbel/data/database.hpp"
#include "corbel/testing/run.hpp"

/// A table of numbers that may each be there once.
inline void make_counts(const corbel::data::database& db) {
  corbel::testing::run(db.execute("create table counts (n integer primary key)"));
}

inline std::int64_t rows(const corbel::data::database& db) {
  return *corbel::testing::run(db.query_one<std::int64_t>("select count(*) from counts"));
}

inline corbel::task<void> add(corbel::data::source to, int n) {
  co_await to.execute("insert into counts values ($1)", n);
}

inline corbel::task<int> add_two(corbel::data::transaction& tx, int first) {
  co_await add(tx, first);
  co_await add(tx, first + 1);
  co_return first;
}
