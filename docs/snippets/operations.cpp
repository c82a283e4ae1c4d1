// The code of docs/operations.md.
#include <doctest/doctest.h>

#include <corbel/corbel.hpp>

namespace {

std::string next_event() {
  return "nothing new";
}

}  // namespace

TEST_CASE("operations") {
  corbel::app server;
  // region: never-shed
  server.get("/events/next", &next_event).never_shed();
  server.group("/internal").use(corbel::never_shed{});
  // end: never-shed
  CHECK(server.inject(corbel::get("/events/next")).body() == "nothing new");
}
