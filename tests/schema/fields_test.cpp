#include "corbel/schema/fields.hpp"

#include <doctest/doctest.h>

#include "schema/project.hpp"
#include "schema/violations.hpp"

namespace schema = corbel::schema;

namespace {

struct query {
  int page = 1;
  std::optional<sample::project_status> status;
  std::vector<std::string> tags;
  std::optional<std::vector<int>> ids;
  std::string q;
  bool deep = false;
  double ratio = 0;
  std::optional<corbel::date> since;
};
constexpr auto describe(corbel::tag<query>) {
  using namespace corbel::rules;
  return object(field("page", &query::page, number().min(1).defaulted()), field("status", &query::status),
                field("tag", &query::tags, list_of(text().max(3)).max(2).defaulted()),
                field("id", &query::ids), field("q", &query::q, text().trim().min(1)),
                field("deep", &query::deep, defaulted()), field("ratio", &query::ratio, defaulted()),
                field("since", &query::since))
      .refine([](const query& q) { return q.q != "bad"; }, "q is bad", "/q");
}

corbel::result<query> read(std::vector<schema::text_pair> pairs) {
  return schema::read_fields<query>(pairs, "query");
}

}  // namespace

TEST_CASE("names and texts fill a struct") {
  const auto all = read({{"page", "3"},
                         {"status", "archived"},
                         {"tag", "a"},
                         {"id", "-1"},
                         {"tag", "b"},
                         {"id", "2"},
                         {"q", " x "},
                         {"deep", "1"},
                         {"ratio", "-2.5e1"},
                         {"since", "2026-01-01"}});
  REQUIRE(all);
  CHECK(all->page == 3);
  CHECK(all->status == sample::project_status::archived);
  CHECK(all->tags == std::vector<std::string>{"a", "b"});
  CHECK(all->ids == std::vector<int>{-1, 2});
  CHECK(all->q == "x");
  CHECK(all->deep);
  CHECK(all->ratio == -25);
  CHECK(all->since == corbel::parse_date("2026-01-01"));
  const auto least = read({{"q", "x"}});
  REQUIRE(least);
  CHECK(least->page == 1);
  CHECK_FALSE(least->ids);
}

TEST_CASE("what browsers send for an empty input and a ticked box") {
  const auto got = read({{"q", "x"}, {"status", ""}, {"since", ""}, {"deep", "on"}});
  REQUIRE(got);
  CHECK_FALSE(got->status);
  CHECK_FALSE(got->since);
  CHECK(got->deep);
  CHECK(read({{"q", "x"}, {"since", ""}, {"since", "2026-01-01"}})->since);
  CHECK(rules_of(read({{"q", "x"}, {"page", ""}, {"ratio", "on"}})) ==
        rule_list{{"/page", "type"}, {"/ratio", "type"}});
}

TEST_CASE("every bad name and text is reported") {
  CHECK(rules_of(read({{"page", "0"},
                       {"status", "gone"},
                       {"tag", "a"},
                       {"tag", "long"},
                       {"tag", "c"},
                       {"id", "x"},
                       {"deep", "yes"},
                       {"ratio", "inf"},
                       {"since", "today"},
                       {"a/b", ""},
                       {"page", "2"}})) == rule_list{{"/page", "minimum"},
                                                     {"/status", "enum"},
                                                     {"/tag/1", "maxLength"},
                                                     {"/id/0", "type"},
                                                     {"/deep", "type"},
                                                     {"/ratio", "type"},
                                                     {"/since", "format"},
                                                     {"/a~1b", "additionalProperties"},
                                                     {"/page", "maxItems"},
                                                     {"/tag", "maxItems"},
                                                     {"/q", "required"}});
  CHECK(rules_of(read({{"q", "bad"}})) == rule_list{{"/q", "refine"}});
  CHECK(rules_of(read({{"q", "a\xff"}})) == rule_list{{"/q", "format"}});
  const auto one = read({{"q", "x"}, {"page", "1e3"}});
  REQUIRE_FALSE(one);
  CHECK(one.error().violations()[0].in == "query");
  CHECK(one.error().violations()[0].message == "must be an integer from -2147483648 to 2147483647");
}

TEST_CASE("one value stands alone") {
  std::vector<corbel::violation> found;
  int page = 7;
  constexpr auto rules = [] {
    corbel::constraints c;
    c.has_minimum = true;
    c.minimum = 1;
    return c;
  }();
  schema::read_one(corbel::type_of<int>(), rules, &page, "12", "path", "page", found);
  CHECK(page == 12);
  CHECK(found.empty());
  schema::read_one(corbel::type_of<int>(), rules, &page, "0", "path", "page", found);
  schema::read_one(corbel::type_of<int>(), rules, &page, " 5", "path", "page", found);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == corbel::violation{"path", "/page", "minimum", "must be at least 1"});
  CHECK(found[1].rule == "type");
}

TEST_CASE("a type that texts cannot fill is told at start") {
  CHECK(schema::can_read_fields(corbel::type_of<query>()));
  CHECK(schema::can_read_fields(corbel::type_of<sample::project>()));
  CHECK_FALSE(schema::can_read_fields(corbel::type_of<int>()));
}
