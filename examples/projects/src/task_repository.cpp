#include "task_repository.hpp"

using namespace corbel;

task<data::page_of<project_task>> task_repository::list_of_project(uuid project,
                                                                   data::list_query wanted) const {
  return list(std::move(wanted).where("projectId", project));
}

task<std::vector<project_task>> task_repository::due(date last) const {
  return from_.query<project_task>(
      "select id, project_id, title, status, due_date, created_at, updated_at from tasks "
      "where status <> 'done' and due_date is not null and due_date <= $1 order by due_date, project_id, id "
      "limit 100",
      last);
}
