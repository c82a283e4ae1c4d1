#pragma once

#include <memory>
#include <vector>

#include <corbel/base/clock.hpp>
#include <corbel/base/result.hpp>
#include <corbel/data/database.hpp>
#include <corbel/data/page.hpp>
#include <corbel/runtime/task.hpp>
#include <corbel/schema/merge_patch.hpp>

#include "project_task.hpp"

/// The rules of tasks.
class task_service {
 public:
  template <class T>
  using outcome = corbel::task<corbel::result<T>>;
  using patch = corbel::schema::merge_patch<task_input>;

  virtual ~task_service() = default;

  /// "project_not_found", or "project_archived", unprocessable: an archived project takes no new tasks.
  virtual outcome<project_task> add(corbel::uuid project, task_input input) = 0;
  /// "project_not_found", or the tasks, of which there may be none.
  virtual outcome<corbel::data::page_of<project_task>> list(corbel::uuid project,
                                                            corbel::data::list_query wanted) = 0;
  /// What is still to do by the end of that day, of all projects, the most pressing first; 100 at most.
  virtual outcome<std::vector<project_task>> due(corbel::date last) = 0;
  /// "task_not_found", here and below, when there is none with this id.
  virtual outcome<project_task> get(corbel::uuid id) = 0;
  virtual outcome<project_task> change(corbel::uuid id, patch changes) = 0;
  virtual outcome<void> remove(corbel::uuid id) = 0;
};

std::shared_ptr<task_service> create_task_service(corbel::data::database db,
                                                  const corbel::clock& clock = corbel::system_clock());
