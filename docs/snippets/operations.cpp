// The code of docs/operations.md.
#include <doctest/doctest.h>

#include <corbel/corbel.hpp>

namespace {

std::string poll() {
  return "nothing new";
}

}  // namespace

TEST_CASE("operations") {
  corbel::app server;
  // region: never-shed
  server.get("/events/next", &poll).never_shed();
  server.group("/internal").use(corbel::never_shed{});
  // end: never-shed
  CHECK(server.inject(corbel::get("/events/next")).body() == "nothing new");
}
