#pragma once

#include <utility>
#include <vector>

#include <corbel/data/repository.hpp>

#include "project_task.hpp"

/// The table of tasks. It knows no rules.
class task_repository : public corbel::data::repository<project_task> {
 public:
  explicit task_repository(corbel::data::source from, const corbel::clock& clock)
      : repository(from, clock), from_(std::move(from)) {}

  /// What `wanted` leaves of one project's tasks.
  corbel::task<corbel::data::page_of<project_task>> list_of_project(corbel::uuid project,
                                                                    corbel::data::list_query wanted) const;
  /// The open tasks that are due on that day or before, 100 at most.
  corbel::task<std::vector<project_task>> due(corbel::date last) const;

 private:
  corbel::data::source from_;
};
