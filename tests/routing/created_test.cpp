#include <doctest/doctest.h>

#include "corbel/testing/client.hpp"

using namespace corbel;

namespace {

struct note {
  std::string id;
  std::string text;
};
constexpr auto describe(tag<note>) {
  using namespace rules;
  return object(field("id", &note::id), field("text", &note::text));
}

task<result<note>> store(bool fails) {
  if (fails) co_return conflict("There is such a note.", "note_exists");
  co_return note{"a b", "hello"};
}

created<note> plain() {
  return note{"1", "hello"};
}
task<created<note>> from_service() {
  co_return co_await store(false);
}
task<created<note>> refused() {
  co_return co_await store(true);
}
task<created<note>> elsewhere() {
  co_return created(co_await store(false)).under("/api/notes");
}
task<created<note>> exactly() {
  co_return created(co_await store(false)).at("/there");
}

struct server_of_notes {
  app server{{.log = logger()}};
  testing::client api{server};
  server_of_notes() {
    server.post("/plain", &plain);
    server.post("/notes", &from_service);
    server.post("/refused", &refused);
    server.post("/elsewhere", &elsewhere);
    server.post("/exactly", &exactly);
  }
};

}  // namespace

TEST_CASE("a created value says where it is") {
  server_of_notes of;
  const auto made = of.api.post("/plain?x=1").expect(status::created).expect_header("Location", "/plain/1");
  CHECK(made.json<note>().text == "hello");
  of.api.post("/notes").expect(status::created).expect_header("Location", "/notes/a%20b");
  of.api.post("/elsewhere").expect(status::created).expect_header("Location", "/api/notes/a%20b");
  of.api.post("/exactly").expect(status::created).expect_header("Location", "/there");
}

TEST_CASE("the error of a service that creates is the reply") {
  server_of_notes of;
  const auto refusal = of.api.post("/refused").expect(status::conflict);
  refusal.expect_code("note_exists");
  CHECK(refusal.header("Location") == "");
}
