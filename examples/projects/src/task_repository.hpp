#pragma once

#include <corbel/data/repository.hpp>

#include "project_task.hpp"

/// The table of tasks. It knows no rules.
class task_repository : public corbel::data::repository<project_task> {
 public:
  using repository::repository;

  /// What `wanted` leaves of one project's tasks.
  corbel::task<corbel::data::page_of<project_task>> list_of_project(corbel::uuid project,
                                                                    corbel::data::list_query wanted) const;
};
