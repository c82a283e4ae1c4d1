// The whole service in this process: real routes, rules and SQL, a database of its own for each test, and a
// clock that only the test moves.

#include <doctest/doctest.h>

#include <corbel/testing/client.hpp>
#include <corbel/testing/database.hpp>
#include <corbel/testing/fake_clock.hpp>
#include <corbel/testing/postgres.hpp>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "../src/project.hpp"
#include "../src/project_task.hpp"
#include "../src/service.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

/// SQLite, or Postgres when PROJECTS_TEST_DATABASE=postgres.
struct any_database {
  std::optional<testing::temporary_database> sqlite;
  std::optional<testing::temporary_postgres> postgres;

  any_database() {
    const char* wanted = std::getenv("PROJECTS_TEST_DATABASE");
    if (wanted && std::string_view(wanted) == "postgres")
      postgres.emplace();
    else
      sqlite.emplace();
  }
  const data::database& operator*() const { return postgres ? **postgres : **sqlite; }
};

struct running_service {
  any_database db;
  testing::fake_clock clock;
  app server{{.version = "1.0.0", .log = logger(), .clock = &clock}};
  testing::client api{server};

  running_service() { add_service(server, *db); }

  project create(const std::string& name) {
    project_input input;
    input.name = name;
    return api.post("/api/v1/projects").json(input).expect(status::created).json<project>();
  }
  std::string url_of(const project& p) { return "/api/v1/projects/" + to_text(p.id); }
};

constexpr auto nobody = "/api/v1/projects/0190a5b0-6c1e-7cc0-8000-0123456789ab";

}  // namespace

TEST_CASE("a project is created, found at its Location, and stamped with the service's time") {
  running_service service;
  const auto made = service.api.post("/api/v1/projects")
                        .json(R"({"name":"  Apollo ","priority":3,"tags":["moon"],"dueDate":"2026-12-31"})")
                        .expect(status::created);
  const auto apollo = made.json<project>();
  CHECK(apollo.name == "Apollo");
  CHECK(apollo.created_at == service.clock.now());
  CHECK(apollo.updated_at == service.clock.now());
  made.expect_header("Location", service.url_of(apollo));
  CHECK(service.api.get(made.header("Location")).expect(status::ok).body() == made.body());
}

TEST_CASE("every broken rule of a project is told at once") {
  running_service service;
  service.api.post("/api/v1/projects")
      .json(
          R"({"name":" ab ","status":"open","priority":6,"tags":["ok",""],"dueDate":"2026-02-30","owner":1})")
      .expect(status::bad_request)
      .expect_code("validation_failed")
      .expect_violation("/name", "minLength")
      .expect_violation("/status", "enum")
      .expect_violation("/priority", "maximum")
      .expect_violation("/tags/1", "minLength")
      .expect_violation("/dueDate", "format")
      .expect_violation("/owner", "additionalProperties");
}

TEST_CASE("two projects never share a name, however they come by it") {
  running_service service;
  service.create("Apollo");
  const auto gemini = service.create("Gemini");
  service.api.post("/api/v1/projects")
      .json(R"({"name":"Apollo"})")
      .expect(status::conflict)
      .expect_code("project_name_taken");
  for (const auto* method : {"PUT", "PATCH"})
    service.api.request(method, service.url_of(gemini))
        .json(R"({"name":"Apollo"})")
        .expect(status::conflict)
        .expect_code("project_name_taken");
  CHECK(service.api.get(service.url_of(gemini)).expect(status::ok).json<project>().name == "Gemini");
}

TEST_CASE("PUT resets what it leaves out, PATCH keeps it, and null clears") {
  running_service service;
  const auto made = service.api.post("/api/v1/projects")
                        .json(R"({"name":"Apollo","description":"To the moon","priority":3,"tags":["moon"]})")
                        .expect(status::created)
                        .json<project>();
  const auto url = service.url_of(made);

  service.clock.advance(1min);
  const auto patched =
      service.api.patch(url).json(R"({"priority":5,"tags":null})").expect(status::ok).json<project>();
  CHECK(patched.priority == 5);
  CHECK(patched.tags.empty());
  CHECK(patched.description == "To the moon");
  CHECK(patched.created_at == made.created_at);
  CHECK(patched.updated_at == made.updated_at + 1min);
  CHECK(
      !service.api.patch(url).json(R"({"description":null})").expect(status::ok).json<project>().description);

  const auto put = service.api.put(url).json(R"({"name":"Apollo 11"})").expect(status::ok).json<project>();
  CHECK(put.name == "Apollo 11");
  CHECK(put.priority == 0);
  CHECK(put.created_at == made.created_at);
}

TEST_CASE("lists come newest first, or as they are asked for") {
  running_service service;
  for (const auto* name : {"Mercury", "Gemini", "Apollo"}) {
    service.create(name);
    service.clock.advance(1s);
  }
  const auto names = [&](const std::string& query) {
    std::string all;
    const auto page = service.api.get("/api/v1/projects" + query).expect(status::ok);
    for (const auto& one : page.json<data::page_of<project>>().data) all += one.name + ' ';
    return all;
  };
  CHECK(names("") == "Apollo Gemini Mercury ");
  CHECK(names("?sort=name:asc") == "Apollo Gemini Mercury ");
  CHECK(names("?sort=createdAt:asc&limit=2") == "Mercury Gemini ");
  CHECK(names("?page=2&limit=2") == "Mercury ");
  CHECK(names("?status=archived") == "");
  service.api.get("/api/v1/projects?colour=red")
      .expect(status::bad_request)
      .expect_violation("/colour", "additionalProperties");
}

TEST_CASE("projects are found by their words and by their tags") {
  running_service service;
  service.api.post("/api/v1/projects")
      .json(R"({"name":"Apollo","description":"To the moon & back","tags":["moon","crewed"]})")
      .expect(status::created);
  service.api.post("/api/v1/projects")
      .json(R"({"name":"Viking","description":"To Mars","tags":["mars"]})")
      .expect(status::created);
  const auto hits = [&](const std::string& words) {
    return service.api.get("/api/v1/projects/search?q=" + words)
        .expect(status::ok)
        .json<std::vector<project_hit>>();
  };
  REQUIRE(hits("moon").size() == 1);
  CHECK(hits("moon")[0].found.name == "Apollo");
  CHECK(hits("MARS")[0].found.name == "Viking");
  CHECK(hits("venus").empty());
  CHECK(hits("%25").empty());
  if (service.db.postgres) {
    CHECK(hits("moon")[0].excerpt == "To the <mark>moon</mark> &amp; back");
    CHECK(hits("to%20-mars").size() == 1);
  }
  service.api.get("/api/v1/projects/search").expect(status::bad_request).expect_violation("/q", "required");
  service.api.get("/api/v1/projects/search?q=%20")
      .expect(status::bad_request)
      .expect_violation("/q", "minLength");
  const auto tagged = service.api.get("/api/v1/projects?tags[has]=mars").expect(status::ok);
  const auto page = tagged.json<data::page_of<project>>();
  REQUIRE(page.data.size() == 1);
  CHECK(page.data[0].name == "Viking");
}

TEST_CASE("what is still to do by a day is listed, the most pressing first") {
  running_service service;
  const auto apollo = service.create("Apollo");
  for (const auto* task :
       {R"({"title":"later","dueDate":"2026-12-31"})", R"({"title":"first","dueDate":"2026-12-01"})",
        R"({"title":"done","dueDate":"2026-12-01","status":"done"})", R"({"title":"some day"})"})
    service.api.post(service.url_of(apollo) + "/tasks").json(task).expect(status::created);
  const auto titles = [&](const std::string& day) {
    std::string all;
    const auto due = service.api.get("/api/v1/tasks/due?before=" + day).expect(status::ok);
    for (const auto& one : due.json<std::vector<project_task>>()) all += one.title + ' ';
    return all;
  };
  CHECK(titles("2026-11-30") == "");
  CHECK(titles("2026-12-01") == "first ");
  CHECK(titles("2027-01-01") == "first later ");
  service.api.get("/api/v1/tasks/due").expect(status::bad_request).expect_violation("/before", "required");
}

TEST_CASE("tasks live and die with their project, and an archived one takes no more") {
  running_service service;
  const auto apollo = service.create("Apollo");
  const auto tasks = service.url_of(apollo) + "/tasks";
  const auto made = service.api.post(tasks).json(R"({"title":" Land "})").expect(status::created);
  const auto land = made.json<project_task>();
  CHECK(land.title == "Land");
  CHECK(land.status == task_status::todo);
  CHECK(land.project_id == apollo.id);
  made.expect_header("Location", "/api/v1/tasks/" + to_text(land.id));
  CHECK(service.api.get(tasks).expect(status::ok).json<data::page_of<project_task>>().meta.total == 1);

  service.api.patch(service.url_of(apollo)).json(R"({"status":"archived"})").expect(status::ok);
  service.api.post(tasks)
      .json(R"({"title":"Return"})")
      .expect(status::unprocessable_content)
      .expect_code("project_archived");
  CHECK(service.api.patch("/api/v1/tasks/" + to_text(land.id))
            .json(R"({"status":"done"})")
            .expect(status::ok)
            .json<project_task>()
            .status == task_status::done);

  service.api.del(service.url_of(apollo)).expect(status::no_content);
  service.api.get(made.header("Location")).expect(status::not_found).expect_code("task_not_found");
  service.api.get(tasks).expect(status::not_found).expect_code("project_not_found");
}

TEST_CASE("what is not there is not found") {
  running_service service;
  service.api.get(nobody).expect(status::not_found).expect_code("project_not_found");
  service.api.del(nobody).expect(status::not_found).expect_code("project_not_found");
  service.api.put(nobody).json(R"({"name":"Apollo"})").expect(status::not_found);
  service.api.patch(nobody).json("{}").expect(status::not_found);
  service.api.get("/api/v1/projects/7").expect(status::bad_request).expect_violation("/id", "format");
}

TEST_CASE("health tells of the database") {
  running_service service;
  CHECK(service.api.get("/health").expect(status::ok).body() ==
        R"({"status":"healthy","database":"connected","version":"1.0.0"})");
}
