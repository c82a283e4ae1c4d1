#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <map>

namespace {

// region: service
enum class project_status : std::uint8_t { active, archived };
constexpr auto describe(corbel::tag<project_status>) {
  using namespace corbel::rules;
  return enumeration(value("active", project_status::active), value("archived", project_status::archived));
}

struct create_project {
  std::string name;
  std::optional<std::string> description;
  project_status status = project_status::active;
  int priority = 0;
};
constexpr auto describe(corbel::tag<create_project>) {
  using namespace corbel::rules;
  using p = create_project;
  return object(field("name", &p::name, text().trim().min(3).max(100)),
                field("description", &p::description, text().max(1000)),
                field("status", &p::status, defaulted()),
                field("priority", &p::priority, number().between(0, 5).defaulted()));
}

struct project {
  corbel::uuid id;
  std::string name;
  project_status status = project_status::active;
};
constexpr auto describe(corbel::tag<project>) {
  using namespace corbel::rules;
  return object(field("id", &project::id), field("name", &project::name), field("status", &project::status));
}

class project_service {
 public:
  corbel::task<corbel::result<project>> create(create_project asked) {
    for (const auto& [id, other] : all_)
      if (other.name == asked.name) co_return corbel::conflict("A project of this name exists.");
    project made{corbel::uuid::v7(), std::move(asked.name), asked.status};
    all_.emplace(made.id, made);
    co_return made;
  }
  corbel::result<project> find(const corbel::uuid& id) const {
    const auto found = all_.find(id);
    if (found == all_.end()) return corbel::not_found("There is no project with this id.");
    return found->second;
  }

 private:
  std::map<corbel::uuid, project> all_;
};

// A coroutine, since creating may wait.
corbel::task<corbel::result<corbel::created<project>>> add(corbel::body<create_project> asked,
                                                           corbel::state<project_service> projects) {
  auto made = co_await projects->create(*std::move(asked));
  if (!made) co_return std::move(made).error();
  co_return corbel::created(*std::move(made));
}

// A plain function, since finding does not.
corbel::result<project> find(corbel::path<corbel::uuid, "id"> id, corbel::state<project_service> projects) {
  return projects->find(*id);
}

void mount(corbel::app& server, project_service& projects) {
  server.provide(projects);
  auto v1 = server.group("/api/v1").use(corbel::access_log{});
  v1.post("/projects", &add).summary("Create a project");
  v1.get("/projects/:id", &find).summary("One project");
}
// end: service

}  // namespace

TEST_CASE("the README's service does what the README says") {
  // region: test
  project_service projects;
  corbel::app server;
  mount(server, projects);

  const auto made = server.inject(corbel::post("/api/v1/projects").json(R"({"name":"Apollo"})"));
  CHECK(made.status() == corbel::status::created);
  CHECK(made.header("Location") == "/api/v1/projects/" + to_text(made.json<project>()->id));

  const auto refused = server.inject(corbel::post("/api/v1/projects").json(R"({"name":" x ","priority":9})"));
  CHECK(refused.status() == corbel::status::bad_request);
  // end: test
  CHECK(
      refused.body().find(
          R"({"in":"body","path":"/name","rule":"minLength","message":"must be at least 3 characters long"})") !=
      std::string::npos);
  CHECK(refused.body().find(
            R"({"in":"body","path":"/priority","rule":"maximum","message":"must be at most 5"})") !=
        std::string::npos);
  CHECK(server.inject(corbel::post("/api/v1/projects").json(R"({"name":"Apollo"})")).status() ==
        corbel::status::conflict);
  CHECK(server.inject(corbel::get(std::string(*made.header("Location")))).json<project>()->name == "Apollo");
}
