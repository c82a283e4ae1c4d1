#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <stdexcept>

#include "corbel/schema/json_schema.hpp"
#include "corbel/schema/parse.hpp"
#include "corbel/schema/pattern.hpp"
#include "schema/violations.hpp"

namespace schema = corbel::schema;

namespace {

struct texts {
  std::string code = "AB-12";
  std::string mail = "a@b.c";
  std::string size = "m";
  std::string even = "xx";
  std::optional<std::string> note;
};
constexpr auto describe(corbel::tag<texts>) {
  using namespace corbel::rules;
  return object(field("code", &texts::code, text().trim().pattern("^[A-Z]{2}-[0-9]{2}$").defaulted()),
                field("mail", &texts::mail, text().email().max(10).defaulted()),
                field("size", &texts::size, text().one_of("s", "m", "l").defaulted()),
                field("even", &texts::even,
                      text().min(1).defaulted().refine([](const std::string& s) { return s.size() % 2 == 0; },
                                                       "must have an even length")),
                field("note", &texts::note,
                      text().length(2).refine([](const std::string& s) { return s != "no"; }, "no no")));
}

struct numbers {
  int between = 1;
  std::int64_t wide = 0;
  std::uint64_t natural = 0;
  double open = 0.5;
  double tenth = 0;
  int third = 3;
};
constexpr auto describe(corbel::tag<numbers>) {
  using namespace corbel::rules;
  return object(field("between", &numbers::between, number().between(1, 5).defaulted()),
                field("wide", &numbers::wide, number().max(9007199254740992).defaulted()),
                field("natural", &numbers::natural, number().min(2.5).defaulted()),
                field("open", &numbers::open, number().more_than(0).less_than(1).defaulted()),
                field("tenth", &numbers::tenth, number().multiple_of(0.1).defaulted()),
                field("third", &numbers::third, number().multiple_of(3).defaulted()));
}

struct links {
  std::string home = "https://a";
  std::string store = "redis://a";
};
constexpr auto describe(corbel::tag<links>) {
  using namespace corbel::rules;
  return object(field("home", &links::home, text().url().defaulted()),
                field("store", &links::store, text().url("redis", "rediss").defaulted()));
}

struct large_numbers {
  std::int64_t wide = 0;
  std::uint64_t natural = 0;
  double cents = 0;
  float narrow = 0;
  std::vector<double> unlike;
};
constexpr auto describe(corbel::tag<large_numbers>) {
  using namespace corbel::rules;
  return object(
      field("wide", &large_numbers::wide, number().min(-9007199254740993).max(9007199254740993).defaulted()),
      field("natural", &large_numbers::natural,
            number().more_than(9223372036854775808u).max(18446744073709551614u).defaulted()),
      field("cents", &large_numbers::cents, number().max(1e18).multiple_of(0.01).defaulted()),
      field("narrow", &large_numbers::narrow, number().max(0.3).multiple_of(0.1).defaulted()),
      field("unlike", &large_numbers::unlike, list_of().unique().defaulted()));
}

struct span {
  int from = 0;
  int to = 0;
};
constexpr auto describe(corbel::tag<span>) {
  using namespace corbel::rules;
  return object(field("from", &span::from), field("to", &span::to))
      .refine([](const span& s) { return s.from <= s.to; }, "to must not be below from", "/to");
}

struct lists {
  std::vector<int> some;
  std::vector<span> spans;
  std::map<std::string, std::vector<std::string>> groups;
};
constexpr auto describe(corbel::tag<lists>) {
  using namespace corbel::rules;
  return object(field("some", &lists::some, list_of(number().min(0)).min(2).max(3).unique().defaulted()),
                field("spans", &lists::spans, list_of().unique().defaulted()),
                field("groups", &lists::groups, list_of(list_of(text().max(1)).min(1)).max(2).defaulted()));
}

template <class T>
rule_list broken(std::string_view text) {
  return rules_of(schema::parse<T>(text));
}

}  // namespace

TEST_CASE("rules of text, each good and bad") {
  CHECK(broken<texts>(R"({"code":"  XY-99 ","mail":"x@y.z","size":"l","even":"abcd","note":"ab"})").empty());
  CHECK(broken<texts>(R"({"note":null})").empty());
  CHECK(broken<texts>(R"({"code":"XY-999"})") == rule_list{{"/code", "pattern"}});
  CHECK(broken<texts>(R"({"mail":"x@y"})") == rule_list{{"/mail", "format"}});
  CHECK(broken<texts>(R"({"mail":"x-y-z-a-b-c"})") == rule_list{{"/mail", "maxLength"}, {"/mail", "format"}});
  CHECK(broken<texts>(R"({"size":"xl"})") == rule_list{{"/size", "enum"}});
  CHECK(broken<texts>(R"({"note":"abc"})") == rule_list{{"/note", "maxLength"}});
  CHECK(broken<texts>(R"({"note":"a"})") == rule_list{{"/note", "minLength"}});
  CHECK(broken<texts>(R"({"note":"no"})") == rule_list{{"/note", "refine"}});
  CHECK(broken<texts>(R"({"even":"abc"})") == rule_list{{"/even", "refine"}});
  // The custom check waits until the other rules hold.
  CHECK(broken<texts>(R"({"even":""})") == rule_list{{"/even", "minLength"}});
}

TEST_CASE("a url has one of the schemes that are allowed") {
  CHECK(broken<links>(R"({"home":"HTTP://a/b","store":"rediss://h:1/2"})").empty());
  for (const char* home : {"javascript://x/%0aalert(1)", "ftp://a", "data://a/b", "httpx://a", "redis://a"})
    CHECK(broken<links>(std::string(R"({"home":")") + home + "\"}") == rule_list{{"/home", "format"}});
  CHECK(broken<links>(R"({"store":"https://a"})") == rule_list{{"/store", "format"}});
  CHECK(schema::json_schema<links>().find(R"("^([hH][tT][tT][pP]|[hH][tT][tT][pP][sS])://)") !=
        std::string::npos);
}

TEST_CASE("bounds beyond 2^53 are exact, in the checks and in the schema") {
  CHECK(broken<large_numbers>(R"({"wide":9007199254740993,"natural":18446744073709551614})").empty());
  CHECK(broken<large_numbers>(R"({"wide":-9007199254740993,"natural":9223372036854775809})").empty());
  CHECK(broken<large_numbers>(R"({"wide":9007199254740994})") == rule_list{{"/wide", "maximum"}});
  CHECK(broken<large_numbers>(R"({"wide":-9007199254740994})") == rule_list{{"/wide", "minimum"}});
  CHECK(broken<large_numbers>(R"({"natural":18446744073709551615})") == rule_list{{"/natural", "maximum"}});
  CHECK(broken<large_numbers>(R"({"natural":9223372036854775808})") ==
        rule_list{{"/natural", "exclusiveMinimum"}});
  const auto published = schema::json_schema<large_numbers>();
  CAPTURE(published);
  for (const char* part : {R"("minimum":-9007199254740993,"maximum":9007199254740993)",
                           R"("exclusiveMinimum":9223372036854775808,"maximum":18446744073709551614)",
                           R"("maximum":1000000000000000000,"multipleOf":0.01)"})
    CHECK(published.find(part) != std::string::npos);
}

TEST_CASE("a multiple misses by the last digits at most") {
  for (const char* good : {"5000000.01", "0.07", "0.30000000000000004", "-3", "0", "-0.0", "1e17"})
    CHECK(broken<large_numbers>(std::string(R"({"cents":)") + good + "}").empty());
  for (const char* bad : {"5000000.005", "1e-12", "0.015", "-0.001"})
    CHECK(broken<large_numbers>(std::string(R"({"cents":)") + bad + "}") ==
          rule_list{{"/cents", "multipleOf"}});
  CHECK(broken<large_numbers>(R"({"narrow":0.3})").empty());
  CHECK(broken<large_numbers>(R"({"narrow":0.25})") == rule_list{{"/narrow", "multipleOf"}});
  CHECK(broken<large_numbers>(R"({"narrow":0.4})") == rule_list{{"/narrow", "maximum"}});
  CHECK(broken<large_numbers>(R"({"unlike":[0.0,-0.0]})") == rule_list{{"/unlike", "uniqueItems"}});
  CHECK(broken<large_numbers>(R"({"unlike":[1e300,1]})").empty());
}

TEST_CASE("rules of numbers, each good and bad") {
  CHECK(broken<numbers>(
            R"({"between":5.0,"wide":9007199254740992,"natural":3,"open":0.999,"tenth":0.3,"third":-6})")
            .empty());
  CHECK(broken<numbers>(R"({"between":0})") == rule_list{{"/between", "minimum"}});
  CHECK(broken<numbers>(R"({"between":6})") == rule_list{{"/between", "maximum"}});
  CHECK(broken<numbers>(R"({"between":9999999999})") == rule_list{{"/between", "maximum"}});
  CHECK(broken<numbers>(R"({"between":123456789012345678901234567890})") ==
        rule_list{{"/between", "maximum"}});
  CHECK(broken<numbers>(R"({"between":-1e30})") == rule_list{{"/between", "minimum"}});
  CHECK(broken<numbers>(R"({"between":1.5})") == rule_list{{"/between", "type"}});
  CHECK(broken<numbers>(R"({"wide":9007199254740993})") == rule_list{{"/wide", "maximum"}});
  CHECK(broken<numbers>(R"({"natural":2})") == rule_list{{"/natural", "minimum"}});
  CHECK(broken<numbers>(R"({"open":0})") == rule_list{{"/open", "exclusiveMinimum"}});
  CHECK(broken<numbers>(R"({"open":1})") == rule_list{{"/open", "exclusiveMaximum"}});
  CHECK(broken<numbers>(R"({"tenth":0.25})") == rule_list{{"/tenth", "multipleOf"}});
  CHECK(broken<numbers>(R"({"third":4})") == rule_list{{"/third", "multipleOf"}});
}

TEST_CASE("rules of lists, maps and whole objects") {
  CHECK(broken<lists>(R"({"some":[1,2],"spans":[{"from":1,"to":1}],"groups":{"a":["x"],"b":["y","z"]}})")
            .empty());
  CHECK(broken<lists>(R"({"some":[1]})") == rule_list{{"/some", "minItems"}});
  CHECK(broken<lists>(R"({"some":[1,2,3,4]})") == rule_list{{"/some", "maxItems"}});
  CHECK(broken<lists>(R"({"some":[1,1]})") == rule_list{{"/some", "uniqueItems"}});
  CHECK(broken<lists>(R"({"some":[-1,2]})") == rule_list{{"/some/0", "minimum"}});
  CHECK(broken<lists>(R"({"spans":[{"from":1,"to":2},{"to":2,"from":1}]})") ==
        rule_list{{"/spans", "uniqueItems"}});
  CHECK(broken<lists>(R"({"spans":[{"from":2,"to":1}]})") == rule_list{{"/spans/0/to", "refine"}});
  CHECK(broken<lists>(R"({"groups":{"a":[],"b/c":["yy"],"d":["z"]}})") ==
        rule_list{{"/groups/a", "minItems"}, {"/groups/b~1c/0", "maxLength"}, {"/groups", "maxProperties"}});
}

TEST_CASE("values made in C++ are checked by the same rules") {
  texts t;
  t.code = " AB-12 ";
  CHECK(schema::check(t));
  CHECK(t.code == "AB-12");
  t.mail = "nobody";
  t.note = "x";
  CHECK(rules_of(schema::check(t)) == rule_list{{"/mail", "format"}, {"/note", "minLength"}});

  lists l;
  l.some = {1, -1};
  l.spans = {{3, 2}};
  l.groups["a"] = {"xx"};
  CHECK(rules_of(schema::check(l)) ==
        rule_list{{"/some/1", "minimum"}, {"/spans/0/to", "refine"}, {"/groups/a/0", "maxLength"}});
}

namespace {
struct bad_pattern {
  std::string a;
  std::vector<std::string> b;
};
constexpr auto describe(corbel::tag<bad_pattern>) {
  using namespace corbel::rules;
  return object(field("a", &bad_pattern::a, text().pattern("(")),
                field("b", &bad_pattern::b, list_of(text().pattern("a(?=b)"))));
}
}  // namespace

TEST_CASE("a pattern that does not compile is found at start") {
  CHECK(rules_of(schema::verify(corbel::type_of<bad_pattern>())) ==
        rule_list{{"/a", "pattern"}, {"/b/*", "pattern"}});
  CHECK(schema::verify(corbel::type_of<texts>()));
  CHECK_THROWS_AS((void)schema::parse<bad_pattern>(R"({"a":"x","b":[]})"), std::invalid_argument);
}

TEST_CASE("a hostile text cannot make a pattern slow") {
  CHECK_FALSE(schema::matches_pattern("^(a+)+$", std::string(100'000, 'a') + "!"));
}
