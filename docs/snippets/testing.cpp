#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <string>
#include <vector>

#include <corbel/testing/client.hpp>

namespace {

struct animal {
  int id = 0;
  std::string name;
};
constexpr auto describe(corbel::tag<animal>) {
  using namespace corbel::rules;
  return object(field("id", &animal::id, defaulted()), field("name", &animal::name, text().min(2)));
}

struct zoo {
  std::vector<animal> all;
};

corbel::created<animal> add(corbel::body<animal> in, corbel::state<zoo> animals) {
  in->id = static_cast<int>(animals->all.size()) + 1;
  animals->all.push_back(*in);
  return corbel::created(*std::move(in));
}
corbel::result<animal> find(corbel::path<int, "id"> id, corbel::state<zoo> animals) {
  for (const auto& each : animals->all)
    if (each.id == *id) return each;
  return corbel::not_found("There is no such animal.", "animal_not_found");
}

struct portrait {
  std::string caption;
  corbel::upload picture;
};
constexpr auto describe(corbel::tag<portrait>) {
  using namespace corbel::rules;
  return object(field("caption", &portrait::caption), field("picture", &portrait::picture));
}

std::string hang(corbel::multipart<portrait> in) {
  return in->caption + ": " + in->picture.filename();
}

void add_routes(corbel::app& server, zoo& animals) {
  server.provide(animals);
  server.post("/animals", &add);
  server.get("/animals/:id", &find);
  server.post("/portraits", &hang);
}

}  // namespace

namespace testing = corbel::testing;
using corbel::status;

// region: client
TEST_CASE("an animal is added, and found again") {
  zoo animals;
  corbel::app server({.log = corbel::logger()});
  add_routes(server, animals);

  testing::client api(server);
  api.always("Authorization", "Bearer token");  // with every request from now on

  const auto made = api.post("/animals").json(R"({"name":"Ada"})").expect(status::created);
  CHECK(made.json<animal>().id == 1);
  CHECK(api.get(made.header("Location")).expect(status::ok).json<animal>().name == "Ada");

  api.get("/animals/9").expect(status::not_found).expect_code("animal_not_found");
  api.post("/animals")
      .json(animal{0, "x"})
      .expect(status::bad_request)
      .expect_violation("/name", "minLength");
}
// end: client

// region: multipart
TEST_CASE("a portrait is hung") {
  zoo animals;
  corbel::app server({.log = corbel::logger()});
  add_routes(server, animals);

  const auto form =
      testing::multipart_form().field("caption", "Ada").file("picture", "ada.png", "\x89PNG", "image/png");
  testing::client api(server);
  CHECK(api.post("/portraits").multipart(form).expect(status::ok).body() == "Ada: ada.png");
}
// end: multipart

// region: log
TEST_CASE("what is refused is in the log, under the request's id") {
  const auto lines = std::make_shared<corbel::captured_log>();
  zoo animals;
  corbel::app server({.log = corbel::logger(lines)});
  server.use(corbel::access_log{});
  add_routes(server, animals);

  testing::client(server).get("/animals/9").header("X-Request-Id", "r-1").expect(status::not_found);
  CHECK(lines->contains(R"("requestId":"r-1","method":"GET","path":"/animals/9","route":"/animals/:id")"));
}
// end: log
