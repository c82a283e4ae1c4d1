#include "task_repository.hpp"

using namespace corbel;

task<data::page_of<project_task>> task_repository::list_of_project(uuid project,
                                                                   data::list_query wanted) const {
  return list(std::move(wanted).where("projectId", project));
}
