// The measured routes in cpp-httplib, with nlohmann's JSON and checks by hand: peer_httplib PORT
//
// It serves a connection by a thread of its own, so 64 connections need 64 threads.
#include <httplib.h>

#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "project_check.hpp"

using nlohmann::json;

int main(int argc, char** argv) {
  int port = 18082;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port);
  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(200); };
  server.set_keep_alive_max_count(1000);
  server.set_keep_alive_timeout(75);
  server.set_tcp_nodelay(true);
  server.Get("/plaintext", [](const auto&, auto& out) { out.set_content("Hello, World!", "text/plain"); });
  server.Get("/json", [](const auto&, auto& out) {
    out.set_content(json{{"message", "Hello, World!"}}.dump(), "application/json");
  });
  for (int i = 0; i < 50; ++i) {
    const auto resource = "/api/v1/resource" + std::to_string(i);
    server.Get(resource, [](const auto&, auto& out) { out.set_content("", "text/plain"); });
    server.Get(resource + "/([^/]+)/items/([^/]+)",
               [](const auto&, auto& out) { out.set_content("", "text/plain"); });
  }
  server.Get("/api/v1/projects/([^/]+)/tasks/([^/]+)", [](const auto& in, auto& out) {
    out.set_content(json{{"id", in.matches[1].str()}, {"taskId", in.matches[2].str()}}.dump(),
                    "application/json");
  });
  server.Post("/api/v1/projects", [](const auto& in, auto& out) {
    auto project = json::parse(in.body, nullptr, false);
    if (!peer::is_project(project)) {
      out.status = 400;
      return;
    }
    project["id"] = "019a0000-0000-7000-8000-000000000000";
    out.status = 201;
    out.set_content(project.dump(), "application/json");
  });
  return server.listen("127.0.0.1", port) ? 0 : 1;
}
