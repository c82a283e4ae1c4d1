#pragma once

#include <string>
#include <vector>

#include <corbel/data/repository.hpp>

#include "project.hpp"

/// The table of projects. What every table needs (get, list, insert, update, remove, ...) is the library's;
/// what only this one is asked is a member function here. It knows no rules.
class project_repository : public corbel::data::repository<project> {
 public:
  explicit project_repository(corbel::data::database db, const corbel::clock& clock)
      : repository(db, clock), db_(std::move(db)) {}

  /// The projects whose name or description has all of these words, the best first, 20 at most. Postgres
  /// understands what people type (`moon -mars "last stage"`), and marks what it found; SQLite looks for the
  /// text as it is, and gives the newest first.
  corbel::task<std::vector<project_hit>> search(std::string words) const;

 private:
  corbel::data::database db_;
};
