#include "corbel/schema/parse.hpp"

#include <doctest/doctest.h>

#include "schema/project.hpp"
#include "schema/violations.hpp"

using sample::project;
namespace schema = corbel::schema;

TEST_CASE("the project body parses, trimmed, with its defaults") {
  const auto full = schema::parse<project>(sample::project_body);
  REQUIRE(full);
  CHECK(full->owner_id == 42);
  CHECK(full->tags.size() == 3);
  CHECK(full->due_date == corbel::parse_date("2026-12-31"));

  const auto least = schema::parse<project>("{\"name\":\" \\u00a0 abc\\t\",\"ownerId\":1}");
  REQUIRE(least);
  CHECK(least->name == "abc");
  CHECK(least->status == sample::project_status::active);
  CHECK(least->tags.empty());
}

TEST_CASE("every broken rule of the project body is reported at once") {
  const auto broken = schema::parse<project>(
      R"({"name":"  ab   ","ownerId":0,"status":"gone","priority":6,"tags":["","aaaaaaaaaaaaaaaaaaaaa",3,
          "1","2","3","4","5","6","7","8"],"dueDate":"31.12.2026","extra":1})");
  CHECK(rules_of(broken) == rule_list{{"/name", "minLength"},
                                      {"/ownerId", "minimum"},
                                      {"/status", "enum"},
                                      {"/priority", "maximum"},
                                      {"/tags/0", "minLength"},
                                      {"/tags/1", "maxLength"},
                                      {"/tags/2", "type"},
                                      {"/tags", "maxItems"},
                                      {"/dueDate", "format"},
                                      {"/extra", "additionalProperties"}});
  CHECK(broken.error().code() == "validation_failed");
  CHECK(broken.error().violations()[0].message == "must be at least 3 characters long");
}

TEST_CASE("lengths are code points, not bytes") {
  CHECK(schema::parse<project>(R"({"name":"äöü","ownerId":1})"));
  CHECK(rules_of(schema::parse<project>(R"({"name":"äö","ownerId":1})")) ==
        rule_list{{"/name", "minLength"}});
}

TEST_CASE("malformed text is one error that names its byte") {
  const auto broken = schema::parse<project>(R"({"name":"Apollo",})");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().kind() == corbel::error_kind::malformed);
  CHECK(broken.error().details() == std::vector<std::pair<std::string, std::string>>{{"byte", "17"}});
  CHECK(broken.error().violations().empty());
}
