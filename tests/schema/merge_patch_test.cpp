#include "corbel/schema/merge_patch.hpp"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <variant>

#include "corbel/base/json/writer.hpp"
#include "schema/project.hpp"
#include "schema/violations.hpp"

namespace schema = corbel::schema;
using sample::project;

namespace {

struct inner {
  int a = 1;
  std::optional<int> b;
};
constexpr auto describe(corbel::tag<inner>) {
  using namespace corbel::rules;
  return object(field("a", &inner::a), field("b", &inner::b));
}
struct other {
  std::string c = "c";
};
constexpr auto describe(corbel::tag<other>) {
  using namespace corbel::rules;
  return object(field("c", &other::c));
}
using either = std::variant<inner, other>;
constexpr auto describe(corbel::tag<either>) {
  using namespace corbel::rules;
  return one_of("is", alternative<inner>("inner"), alternative<other>("other"));
}

struct outer {
  inner one;
  std::optional<inner> maybe;
  std::vector<inner> list;
  std::map<std::string, inner> map;
  either form;
  nlohmann::json free;
  int low = 0;
  int high = 9;
};
constexpr auto describe(corbel::tag<outer>) {
  using namespace corbel::rules;
  return object(field("one", &outer::one), field("maybe", &outer::maybe),
                field("list", &outer::list, defaulted()), field("map", &outer::map, defaulted()),
                field("form", &outer::form, defaulted()), field("free", &outer::free, defaulted()),
                field("low", &outer::low, defaulted()), field("high", &outer::high, defaulted()))
      .refine([](const outer& o) { return o.low <= o.high; }, "low must not exceed high", "/low");
}

std::string merged(outer value, std::string patch) {
  const auto read = schema::merge_patch<outer>::parse(std::move(patch));
  if (!read) return "parse: " + read.error().violations().at(0).path;
  const auto done = read->apply_to(value);
  if (!done) return "apply: " + done.error().violations().at(0).path;
  return corbel::json::to_text(value);
}

outer sample_outer() {
  outer o;
  o.one = {5, 6};
  o.maybe = inner{7, {}};
  o.list = {{1, 2}};
  o.map = {{"x", {1, 2}}, {"y", {3, {}}}};
  o.free = nlohmann::json::parse(R"({"k":{"l":1},"m":2})");
  return o;
}

const std::string rest = R"("form":{"is":"inner","a":1},"free":{"k":{"l":1},"m":2},"low":0,"high":9})";

}  // namespace

TEST_CASE("a patch keeps what it leaves out and clears what it sets to null") {
  auto p = schema::parse<project>(sample::project_body).value();
  const auto patch = schema::merge_patch<project>::parse(
      R"({"name":"  Gemini ","description":null,"priority":null,"tags":["x"],"dueDate":"2027-01-01"})");
  REQUIRE(patch);
  REQUIRE(patch->apply_to(p));
  CHECK(p.name == "Gemini");
  CHECK_FALSE(p.description);
  CHECK(p.priority == 0);
  CHECK(p.owner_id == 42);
  CHECK(p.tags == std::vector<std::string>{"x"});
  CHECK(corbel::to_text(*p.due_date) == "2027-01-01");
}

TEST_CASE("what a patch sets is checked before anything is merged") {
  CHECK(rules_of(schema::merge_patch<project>::parse(
            R"({"name":null,"ownerId":0,"status":"gone","tags":[""],"extra":null,"dueDate":1})")) ==
        rule_list{{"/name", "required"},
                  {"/ownerId", "minimum"},
                  {"/status", "enum"},
                  {"/tags/0", "minLength"},
                  {"/extra", "additionalProperties"},
                  {"/dueDate", "type"}});
  CHECK(rules_of(schema::merge_patch<project>::parse("[]")) == rule_list{{"", "type"}});
  CHECK(schema::merge_patch<project>::parse("{}"));
  const auto cut = schema::merge_patch<project>::parse("{");
  REQUIRE_FALSE(cut);
  CHECK(cut.error().kind() == corbel::error_kind::malformed);
}

TEST_CASE("objects and maps merge, lists are replaced") {
  const outer o = sample_outer();
  CHECK(merged(o, R"({"one":{"b":null}})") ==
        R"({"one":{"a":5},"maybe":{"a":7},"list":[{"a":1,"b":2}],"map":{"x":{"a":1,"b":2},"y":{"a":3}},)" +
            rest);
  CHECK(
      merged(o, R"({"maybe":{"b":8},"list":[{"a":9}],"map":{"x":null,"y":{"b":4},"z":{"a":5,"b":null}}})") ==
      R"({"one":{"a":5,"b":6},"maybe":{"a":7,"b":8},"list":[{"a":9}],"map":{"y":{"a":3,"b":4},"z":{"a":5}},)" +
          rest);
  CHECK(merged(o, R"({"maybe":null,"list":null,"map":null,"free":{"k":{"l":null,"n":3}},"form":{"b":2}})") ==
        R"({"one":{"a":5,"b":6},"list":[],"map":{},"form":{"is":"inner","a":1,"b":2},)"
        R"("free":{"k":{"n":3},"m":2},"low":0,"high":9})");
}

TEST_CASE("what a patch brings into being must be whole") {
  outer o = sample_outer();
  CHECK(merged(o, R"({"map":{"z":{"b":1}}})") == "apply: /map/z/a");
  CHECK(merged(o, R"({"list":[{"b":1}]})") == "parse: /list/0/a");
  o.maybe.reset();
  CHECK(merged(o, R"({"maybe":{"b":1}})") == "apply: /maybe/a");
  CHECK(merged(o, R"({"one":{"a":null}})") == "parse: /one/a");
  CHECK(merged(o, R"({"form":{"is":"other"}})") == "apply: /form/c");
  CHECK(merged(o, R"({"form":{"c":"x"}})") == "apply: /form/c");
  CHECK(merged(o, R"({"form":{"is":"none"}})") == "parse: /form/is");
  CHECK(merged(o, R"({"form":{"c":"x","is":"other"}})").find(R"("form":{"is":"other","c":"x"})") !=
        std::string::npos);
}

TEST_CASE("checks across members see the merged whole, and a refused patch changes nothing") {
  outer o;
  o.low = 5;
  const auto patch = schema::merge_patch<outer>::parse(R"({"one":{"a":3},"high":4})");
  REQUIRE(patch);
  CHECK(rules_of(patch->apply_to(o)) == rule_list{{"/low", "refine"}});
  CHECK(o.one.a == 1);
  CHECK(o.high == 9);
}
