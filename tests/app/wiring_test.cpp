#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "corbel/app/app.hpp"

namespace {

using namespace corbel;

struct nested {
  int value = 0;
};
constexpr auto describe(tag<nested>) {
  using namespace corbel::rules;
  return object(field("value", &nested::value));
}
struct deep {
  nested inner;
};
constexpr auto describe(tag<deep>) {
  using namespace corbel::rules;
  return object(field("inner", &deep::inner));
}
struct unsound {
  std::string name;
};
constexpr auto describe(tag<unsound>) {
  using namespace corbel::rules;
  return object(field("name", &unsound::name, text().pattern("(")));
}
struct missing_service {};

struct picky {
  route_limits limits() const { return {}; }
  std::vector<std::string> mistakes() const { return {"picky: it is never content"}; }
};

bool mentions(const std::vector<std::string>& all, std::initializer_list<std::string_view> words) {
  for (const auto& each : all) {
    bool has_all = true;
    for (const auto word : words) has_all &= each.find(word) != std::string::npos;
    if (has_all) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every mistake in the wiring is listed at once, each with the way to mend it") {
  app_settings settings;
  settings.log = logger();
  settings.server.limits.connections = 0;
  settings.server.limits.request_line = 3;
  settings.server.limits.header_bytes = 1'000'000;
  settings.server.limits.requests_per_connection = 0;
  settings.server.limits.body_bytes = 10;
  settings.server.limits.handler_timeout = std::chrono::milliseconds(0);
  settings.server.limits.write_timeout = std::chrono::milliseconds::max();
  app a(std::move(settings));
  a.get("/twice/:id", [](path<int>) {});
  a.get("/twice/:other", [](path<int>) {});
  a.get("no-slash", [] {});
  a.group("/api").get("users", [] {});
  a.get("/:", [] {});
  a.get("/*rest/more", [] {});
  a.get("/:id/:id", [] {});
  a.get("/%zz", [] {});
  a.get("/too-many/:one", [](path<int>, path<int>) {});
  a.get("/named/:one", [](path<int, "two">) {});
  a.get("/none-left/:one", [](path<int, "one">, path<int>) {});
  a.get("/state", [](state<missing_service>) {});
  a.get("/query", [](query<deep>) {});
  a.post("/unsound", [](body<unsound>) {});
  a.routes().on("NOT A TOKEN", "/method", [] {});
  a.group("prefix").get("/", [] {});
  a.group("/prefix/").get("/x", [] {});
  a.group("/picky").use(picky{}).get("/x", [] {}).use(picky{});
  int number = 1, other = 2;
  a.provide(number).provide(other);
  std::string deep_path;
  for (int i = 0; i < 33; ++i) deep_path += "/x";
  a.get(deep_path, [] {});

  std::vector<std::string> all;
  std::string what;
  try {
    (void)a.inject(get("/"));
  } catch (const wiring_error& e) {
    all = e.mistakes();
    what = e.what();
  }
  CHECK(mentions(all, {"limits.connections"}));
  CHECK(mentions(all, {"limits.request_line"}));
  CHECK(mentions(all, {"limits.header_bytes"}));
  CHECK(mentions(all, {"limits.requests_per_connection"}));
  CHECK(mentions(all, {"limits.handler_timeout"}));
  CHECK(mentions(all, {"limits.write_timeout", "a year"}));
  CHECK(mentions(all, {"GET /twice/:other", "registered twice", "/twice/:id"}));
  CHECK(mentions(all, {"no-slash", "must begin with /"}));
  CHECK(mentions(all, {"\"users\"", "must begin with /"}));
  CHECK(mentions(all, {"GET /:", "without a name"}));
  CHECK(mentions(all, {"/*rest/more", "stands last"}));
  CHECK(mentions(all, {"/:id/:id", "twice"}));
  CHECK(mentions(all, {"/%zz", "percent"}));
  CHECK(mentions(all, {"/too-many/:one", "more path<T>"}));
  CHECK(mentions(all, {"/none-left/:one", "more path<T>"}));
  CHECK(mentions(all, {"/named/:one", "no :two"}));
  CHECK(mentions(all, {"/state", "missing_service", "provide"}));
  CHECK(mentions(all, {"/query", "scalars"}));
  CHECK(mentions(all, {"POST /unsound", "name"}));
  CHECK(mentions(all, {"/method", "token"}));
  CHECK(mentions(all, {"group \"prefix\"", "begins with /"}));
  CHECK(mentions(all, {"group \"/prefix/\""}));
  CHECK(mentions(all, {"picky: it is never content"}));
  CHECK(mentions(all, {"GET /picky/x: picky"}));
  CHECK(mentions(all, {"provide(int)", "one already"}));
  CHECK(mentions(all, {"/x/x/x", "32 segments"}));
  for (const auto& each : all) CHECK(what.find(each) != std::string::npos);
  CHECK_THROWS_AS(a.inject(get("/")), wiring_error);
}

TEST_CASE("routes are listed as they were added") {
  app_settings settings;
  settings.health_routes = false;
  app a(std::move(settings));
  auto v1 = a.group("/api/v1");
  v1.get("/", [] {});
  v1.post("/projects/:id", [](path<int>) {});
  a.routes().on("PURGE", "/*all", [] {});
  CHECK(a.list_routes() ==
        std::vector<std::string>{"GET /api/v1", "POST /api/v1/projects/:id", "PURGE /*all"});
}

TEST_CASE("what is said of a route is kept with it") {
  app a;
  auto api = a.group("/api/v1");
  api.get("/projects/:id", [](path<int>) {}).summary("One project");
  api.on("PURGE", "/", [] {});
  std::vector<route_info> mine;
  for (auto& each : a.route_table())
    if (each.path.starts_with("/api/")) mine.push_back(std::move(each));
  REQUIRE(mine.size() == 2);
  CHECK(mine[0].method == "GET");
  CHECK(mine[0].path == "/api/v1/projects/:id");
  CHECK(mine[0].summary == "One project");
  CHECK(mine[1].method == "PURGE");
  CHECK(mine[1].path == "/api/v1");
  CHECK(mine[1].summary.empty());
}
