// The measured routes in uWebSockets, with nlohmann's JSON and checks by hand: peer_uwebsockets PORT
#include <App.h>

#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "project_check.hpp"

using nlohmann::json;

int main(int argc, char** argv) {
  int port = 18083;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), port);
  constexpr std::string_view json_type = "application/json";
  uWS::App app;
  app.get("/plaintext", [](auto* out, auto*) {
    out->writeHeader("Content-Type", "text/plain; charset=utf-8")->end("Hello, World!");
  });
  app.get("/json", [](auto* out, auto*) {
    out->writeHeader("Content-Type", json_type)->end(json{{"message", "Hello, World!"}}.dump());
  });
  for (int i = 0; i < 50; ++i) {
    const auto resource = "/api/v1/resource" + std::to_string(i);
    app.get(resource, [](auto* out, auto*) { out->end(""); });
    app.get(resource + "/:id/items/:itemId", [](auto* out, auto*) { out->end(""); });
  }
  app.get("/api/v1/projects/:id/tasks/:taskId", [](auto* out, auto* in) {
    const json found{{"id", in->getParameter(0)}, {"taskId", in->getParameter(1)}};
    out->writeHeader("Content-Type", json_type)->end(found.dump());
  });
  app.post("/api/v1/projects", [](auto* out, auto*) {
    out->onAborted([] {});
    out->onData([out, body = std::string()](std::string_view piece, bool last) mutable {
      body.append(piece);
      if (!last) return;
      auto project = json::parse(body, nullptr, false);
      if (!peer::is_project(project)) {
        out->writeStatus("400 Bad Request")->end("");
        return;
      }
      project["id"] = "019a0000-0000-7000-8000-000000000000";
      out->writeStatus("201 Created")->writeHeader("Content-Type", json_type)->end(project.dump());
    });
  });
  bool listens = false;
  app.listen("127.0.0.1", port, [&](auto* socket) { listens = socket != nullptr; }).run();
  return listens ? 0 : 1;
}
