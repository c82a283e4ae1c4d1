#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <corbel/base/describe/type_of.hpp>

/// What the database scenarios send, whoever fetches it. The tables are in benchmarks/database.sql.
struct world_row {
  std::int32_t id = 0;
  std::int32_t random_number = 0;
};
constexpr auto describe(corbel::tag<world_row>) {
  using namespace corbel::rules;
  return object(field("id", &world_row::id), field("randomNumber", &world_row::random_number));
}

struct fortune_row {
  std::int32_t id = 0;
  std::string message;
};
constexpr auto describe(corbel::tag<fortune_row>) {
  using namespace corbel::rules;
  return object(field("id", &fortune_row::id), field("message", &fortune_row::message));
}

/// `/queries?n=20`. What is out of its range becomes the nearest number in it, as the benchmark's rules ask.
struct how_many {
  static constexpr std::int64_t most = 500;
  std::int64_t n = 1;
  std::size_t count() const { return static_cast<std::size_t>(std::clamp<std::int64_t>(n, 1, most)); }
};
constexpr auto describe(corbel::tag<how_many>) {
  using namespace corbel::rules;
  return object(field("n", &how_many::n, defaulted()));
}

/// One of the rows of `world`. A generator a thread: the system's own would cost as much as a query's share.
inline std::int32_t random_id() {
  thread_local std::minstd_rand numbers(std::random_device{}());
  return static_cast<std::int32_t>(numbers() % 10'000) + 1;
}

inline void sort_by_message(std::vector<fortune_row>& rows) {
  std::sort(rows.begin(), rows.end(),
            [](const fortune_row& a, const fortune_row& b) { return a.message < b.message; });
}
