#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "corbel/testing/database.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"

/// The databases that the suite runs on. A further one adds a function here, and every test runs on it.
namespace backends {

/// An empty database for one test.
struct backend {
  virtual ~backend() = default;
  virtual const corbel::data::database& db() const = 0;
};

struct sqlite_file final : backend {
  explicit sqlite_file(const std::string& options) : own(options) {}
  const corbel::data::database& db() const override { return *own; }
  corbel::testing::temporary_database own;
};

struct postgres_database final : backend {
  const corbel::data::database& db() const override { return *own; }
  corbel::testing::temporary_postgres own;
};

struct choice {
  const char* name;
  std::unique_ptr<backend> (*make)();
};

inline const std::vector<choice>& all() {
  static const std::vector<choice> list{
      {"sqlite", [] { return std::unique_ptr<backend>(new sqlite_file("synchronous=off")); }},
      {"postgres", [] { return std::unique_ptr<backend>(new postgres_database()); }},
  };
  return list;
}

/// Runs `test(db)`, a plain function or lambda that awaits through `corbel::testing::run`, on each.
template <class Test>
void each(Test test) {
  for (const auto& one : all()) {
    CAPTURE(one.name);
    const auto fresh = one.make();
    test(fresh->db());
  }
}

}  // namespace backends
