#include "corbel/schema/json_schema.hpp"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "corbel/schema/validator.hpp"
#include "schema/project.hpp"
#include "schema/violations.hpp"

namespace schema = corbel::schema;
using nlohmann::json;

namespace {

struct leaf_shape {
  float size = 1;
};
constexpr auto describe(corbel::tag<leaf_shape>) {
  using namespace corbel::rules;
  return object(field("size", &leaf_shape::size, number().more_than(0).multiple_of(0.5))).open();
}
struct tree;
struct branch_shape {
  std::vector<tree> twigs;
};
using shape = std::variant<leaf_shape, branch_shape>;
struct tree {
  std::string home = "http://h";
  std::optional<shape> form;
  std::optional<std::vector<tree>> children;
  std::map<std::string, std::uint8_t> counts;
  std::optional<corbel::uuid> id;
  std::optional<std::string> size;
  nlohmann::json free;
  std::int8_t small = 3;
  std::uint64_t large = 0;
};
constexpr auto describe(corbel::tag<branch_shape>) {
  using namespace corbel::rules;
  return object(field("twigs", &branch_shape::twigs));
}
constexpr auto describe(corbel::tag<shape>) {
  using namespace corbel::rules;
  return one_of("kind", alternative<leaf_shape>("leaf"), alternative<branch_shape>("branch"));
}
constexpr auto describe(corbel::tag<tree>) {
  using namespace corbel::rules;
  return object(field("home", &tree::home, text().url().defaulted()), field("form", &tree::form),
                field("children", &tree::children, list_of().max(3)),
                field("counts", &tree::counts, list_of(number().max(9)).min(1).max(2).defaulted()),
                field("id", &tree::id), field("size", &tree::size, text().one_of("s", "m")),
                field("free", &tree::free, defaulted()),
                field("small", &tree::small, number().max(1000).defaulted()),
                field("large", &tree::large, defaulted()));
}

}  // namespace

TEST_CASE("the project body as a JSON Schema") {
  CHECK(json::parse(schema::json_schema<sample::project>()) == json::parse(R"({
    "type":"object",
    "properties":{
      "name":{"type":"string","minLength":3,"maxLength":100},
      "description":{"type":["string","null"],"maxLength":1000},
      "ownerId":{"type":"integer","format":"int64","minimum":1},
      "status":{"type":"string","enum":["active","archived"],"default":"active"},
      "priority":{"type":"integer","format":"int32","minimum":0,"maximum":5,"default":0},
      "tags":{"type":"array","items":{"type":"string","minLength":1,"maxLength":20},"maxItems":10,"default":[]},
      "dueDate":{"type":["string","null"],"format":"date"}},
    "required":["name","ownerId"],
    "additionalProperties":false})"));
}

TEST_CASE("bytes are base64 to readers of the schema") {
  CHECK(json::parse(schema::json_schema<std::vector<std::byte>>()) ==
        json::parse(R"({"type":"string","contentEncoding":"base64"})"));
  CHECK(json::parse(schema::json_schema<std::optional<std::vector<std::byte>>>()) ==
        json::parse(R"({"type":["string","null"],"contentEncoding":"base64"})"));
  CHECK(json::parse(schema::json_schema<std::vector<std::vector<std::byte>>>()) ==
        json::parse(R"({"type":"array","items":{"type":"string","contentEncoding":"base64"}})"));
  CHECK(schema::from_json_schema(schema::json_schema<std::vector<std::byte>>())->check_text(R"("AP8=")"));
}

TEST_CASE("a type that contains itself stands in $defs, which the embedding document may place") {
  const json made = json::parse(schema::json_schema<tree>());
  REQUIRE(made.at("$ref") == "#/$defs/type1");
  const json& defined = made.at("$defs").at("type1");
  const json& of = defined.at("properties");
  CHECK(of.at("children").at("items") == json{{"$ref", "#/$defs/type1"}});
  CHECK(of.at("children").at("type") == json{"array", "null"});
  CHECK(of.at("counts") == json::parse(R"({"type":"object","minProperties":1,"maxProperties":2,"default":{},
      "additionalProperties":{"type":"integer","minimum":0,"maximum":9}})"));
  CHECK(of.at("size").at("enum") == json{"s", "m", nullptr});
  CHECK(of.at("small").at("maximum") == 127);
  CHECK(of.at("small").at("minimum") == -128);
  CHECK(of.at("large").at("minimum") == 0);
  CHECK(of.at("free") == json{{"default", nullptr}});
  CHECK(of.at("form").at("anyOf").at(1) == json{{"type", "null"}});

  const std::string placed = schema::json_schema<tree>({.definitions = "#/components/schemas/tree/$defs/"});
  CHECK(placed.find("\"#/$defs/") == std::string::npos);
  CHECK(placed.find("\"#/components/schemas/tree/$defs/type1\"") != std::string::npos);
}

TEST_CASE("what is published can be run") {
  const auto run = schema::from_json_schema(schema::json_schema<tree>());
  REQUIRE(run);
  CHECK(run->check_text(R"({"form":{"kind":"branch","twigs":[{"form":{"kind":"leaf","size":2.5,"more":1}}]},
                            "children":[{"children":null},{}],"size":null,"free":[1]})"));
  CHECK(rules_of(run->check_text(R"({"children":[{"children":[{"small":128}]}],"home":"urn:x"})")) ==
        rule_list{{"/children/0/children/0/small", "maximum"}, {"/home", "pattern"}});
}
