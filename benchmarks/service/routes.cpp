#include "service/routes.hpp"

#include <corbel/corbel.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "service/create_project.hpp"

namespace {

struct greeting {
  std::string message;
};
constexpr auto describe(corbel::tag<greeting>) {
  using namespace corbel::rules;
  return object(field("message", &greeting::message));
}

struct task_key {
  std::string id;
  std::string task_id;
};
constexpr auto describe(corbel::tag<task_key>) {
  using namespace corbel::rules;
  return object(field("id", &task_key::id), field("taskId", &task_key::task_id));
}

struct project {
  corbel::uuid id;
  std::string name;
  std::optional<std::string> description;
  std::int64_t owner_id = 0;
  project_status status = project_status::active;
  std::int32_t priority = 0;
  std::vector<std::string> tags;
  std::optional<corbel::date> due_date;
};
constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  using p = project;
  return object(field("id", &p::id), field("name", &p::name), field("description", &p::description),
                field("ownerId", &p::owner_id), field("status", &p::status), field("priority", &p::priority),
                field("tags", &p::tags), field("dueDate", &p::due_date));
}

std::string plaintext() {
  return "Hello, World!";
}

greeting json() {
  return {"Hello, World!"};
}

task_key find_task(corbel::path<std::string, "id"> id, corbel::path<std::string, "taskId"> task) {
  return {*std::move(id), *std::move(task)};
}

corbel::created<project> add_project(corbel::body<create_project> in) {
  auto& p = *in;
  return corbel::created(project{corbel::uuid::v7(), std::move(p.name), std::move(p.description), p.owner_id,
                                 p.status, p.priority, std::move(p.tags), p.due_date});
}

}  // namespace

void add_measured_routes(corbel::route_group root) {
  root.get("/plaintext", &plaintext);
  root.get("/json", &json);
  auto v1 = root.group("/api/v1");
  for (int i = 0; i < 50; ++i) {
    const auto resource = "/resource" + std::to_string(i);
    v1.get(resource, &plaintext);
    v1.get(resource + "/:id/items/:itemId", &plaintext);
  }
  v1.get("/projects/:id/tasks/:taskId", &find_task);
  v1.post("/projects", &add_project);
}
