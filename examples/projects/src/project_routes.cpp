#include "project_routes.hpp"

#include <corbel/routing/list.hpp>

#include "project_service.hpp"

using namespace corbel;

namespace {

task<created<project>> create_project(body<project_input> input, state<project_service> projects) {
  co_return co_await projects->create(*std::move(input));
}

task<result<data::page_of<project>>> list_projects(list_query<project> wanted,
                                                   state<project_service> projects) {
  return projects->list(*std::move(wanted));
}

struct search_query {
  std::string q;
};
constexpr auto describe(tag<search_query>) {
  using namespace corbel::rules;
  return object(field("q", &search_query::q, text().trim().min(1).max(200)));
}

task<result<std::vector<project_hit>>> search_projects(query<search_query> wanted,
                                                       state<project_service> projects) {
  return projects->search(wanted->q);
}

task<result<project>> show_project(path<uuid, "id"> id, state<project_service> projects) {
  return projects->get(*id);
}

task<result<project>> replace_project(path<uuid, "id"> id, body<project_input> input,
                                      state<project_service> projects) {
  return projects->replace(*id, *std::move(input));
}

task<result<project>> change_project(path<uuid, "id"> id, merge_body<project_input> changes,
                                     state<project_service> projects) {
  return projects->change(*id, *changes);
}

task<result<void>> delete_project(path<uuid, "id"> id, state<project_service> projects) {
  return projects->remove(*id);
}

}  // namespace

void add_project_routes(route_group api) {
  api.post("/projects", &create_project).summary("Create a project");
  api.get("/projects", &list_projects).summary("List projects, newest first");
  api.get("/projects/search", &search_projects).summary("Search projects by words");
  api.get("/projects/:id", &show_project).summary("Show a project");
  api.put("/projects/:id", &replace_project).summary("Replace a project");
  api.patch("/projects/:id", &change_project).summary("Change a part of a project");
  api.del("/projects/:id", &delete_project).summary("Delete a project and its tasks");
}
