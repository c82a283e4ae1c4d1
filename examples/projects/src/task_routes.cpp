#include "task_routes.hpp"

#include <corbel/routing/list.hpp>

#include "task_service.hpp"

using namespace corbel;

namespace {

task<created<project_task>> create_task(path<uuid, "id"> project_id, body<task_input> input,
                                        state<task_service> tasks) {
  co_return created(co_await tasks->add(*project_id, *std::move(input))).under("/api/v1/tasks");
}

task<result<data::page_of<project_task>>> list_tasks(path<uuid, "id"> project_id,
                                                     list_query<project_task> wanted,
                                                     state<task_service> tasks) {
  return tasks->list(*project_id, *std::move(wanted));
}

struct due_query {
  date before{};
};
constexpr auto describe(tag<due_query>) {
  using namespace corbel::rules;
  return object(field("before", &due_query::before));
}

task<result<std::vector<project_task>>> list_due_tasks(query<due_query> wanted, state<task_service> tasks) {
  return tasks->due(wanted->before);
}

task<result<project_task>> show_task(path<uuid, "id"> id, state<task_service> tasks) {
  return tasks->get(*id);
}

task<result<project_task>> change_task(path<uuid, "id"> id, merge_body<task_input> changes,
                                       state<task_service> tasks) {
  return tasks->change(*id, *changes);
}

task<result<void>> delete_task(path<uuid, "id"> id, state<task_service> tasks) {
  return tasks->remove(*id);
}

}  // namespace

void add_task_routes(route_group api) {
  api.post("/projects/:id/tasks", &create_task).summary("Add a task to a project");
  api.get("/projects/:id/tasks", &list_tasks).summary("List the tasks of a project, newest first");
  api.get("/tasks/due", &list_due_tasks).summary("What is still to do by a day, of all projects");
  api.get("/tasks/:id", &show_task).summary("Show a task");
  api.patch("/tasks/:id", &change_task).summary("Change a part of a task");
  api.del("/tasks/:id", &delete_task).summary("Delete a task");
}
