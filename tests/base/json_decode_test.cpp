#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/writer.hpp"

namespace {

using corbel::error_kind;
namespace json = corbel::json;

enum class colour : std::uint8_t { red = 1, blue = 7 };
constexpr auto describe(corbel::tag<colour>) {
  using namespace corbel::rules;
  return enumeration(value("red", colour::red), value("blue", colour::blue));
}

struct circle {
  double radius = 1;
};
constexpr auto describe(corbel::tag<circle>) {
  using namespace corbel::rules;
  return object(field("radius", &circle::radius));
}
struct square {
  float side = 1;
  std::optional<std::string> label;
};
constexpr auto describe(corbel::tag<square>) {
  using namespace corbel::rules;
  return object(field("side", &square::side), field("label", &square::label));
}
using shape = std::variant<circle, square>;
constexpr auto describe(corbel::tag<shape>) {
  using namespace corbel::rules;
  return one_of("kind", alternative<circle>("circle"), alternative<square>("square"));
}

struct everything {
  bool flag = false;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  std::int64_t whole = 0;
  double real = 0;
  std::string text;
  colour tint = colour::blue;
  corbel::timestamp at{};
  corbel::date on{std::chrono::year{2000} / 1 / 1};  // a date{} is no day, and has no JSON
  corbel::uuid id{};
  std::optional<int> maybe;
  std::vector<std::optional<int>> list;
  std::map<std::string, int> counts;
  std::vector<everything> children;
  shape form;
  nlohmann::json free;
};
constexpr auto describe(corbel::tag<everything>) {
  using namespace corbel::rules;
  using e = everything;
  return object(field("flag", &e::flag, defaulted()), field("small", &e::small, defaulted()),
                field("large", &e::large, defaulted()), field("whole", &e::whole, defaulted()),
                field("real", &e::real, defaulted()), field("text", &e::text),
                field("tint", &e::tint, defaulted()), field("at", &e::at, defaulted()),
                field("on", &e::on, defaulted()), field("id", &e::id, defaulted()), field("maybe", &e::maybe),
                field("list", &e::list, defaulted()), field("counts", &e::counts, defaulted()),
                field("children", &e::children, defaulted()), field("form", &e::form, defaulted()),
                field("free", &e::free, defaulted()));
}

std::vector<std::pair<std::string, std::string>> broken(std::string_view text) {
  const auto read = json::parse<everything>(text);
  REQUIRE_FALSE(read);
  CAPTURE(read.error().message());
  REQUIRE(read.error().kind() == error_kind::invalid);
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& v : read.error().violations()) {
    CHECK(v.in == "body");
    CHECK_FALSE(v.message.empty());
    all.emplace_back(v.path, v.rule);
  }
  return all;
}

using list = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("JSON reads straight into a described type") {
  const auto read = json::parse<everything>(R"( {
    "flag":true, "small":-128, "large":18446744073709551615, "whole":-9223372036854775808,
    "real":1.5e-3, "text":"a\u00e9\n\ud83d\ude00b", "tint":"red", "at":"2026-01-02T03:04:05.678Z",
    "on":"2026-12-31", "id":"0190a5b0-6c1e-7cc0-8000-0123456789ab", "maybe":null, "list":[1,null,3.0,1e2],
    "counts":{"a":1,"b":2}, "children":[{"text":"x","maybe":5}],
    "form":{"side":2.5,"kind":"square"}, "free":{"any":[1,"x",null,-2,1.5]} } )");
  REQUIRE(read);
  CHECK(read->flag);
  CHECK(read->small == -128);
  CHECK(read->large == 18446744073709551615u);
  CHECK(read->whole == std::numeric_limits<std::int64_t>::min());
  CHECK(read->real == 1.5e-3);
  CHECK(read->text ==
        "a\xc3\xa9\n\xf0\x9f\x98\x80"
        "b");
  CHECK(read->tint == colour::red);
  CHECK(corbel::to_text(read->at) == "2026-01-02T03:04:05.678Z");
  CHECK(corbel::to_text(read->on) == "2026-12-31");
  CHECK(corbel::to_text(read->id) == "0190a5b0-6c1e-7cc0-8000-0123456789ab");
  CHECK_FALSE(read->maybe);
  CHECK(read->list == std::vector<std::optional<int>>{1, {}, 3, 100});
  CHECK(read->counts == std::map<std::string, int>{{"a", 1}, {"b", 2}});
  REQUIRE(read->children.size() == 1);
  CHECK(read->children[0].maybe == 5);
  REQUIRE(std::holds_alternative<square>(read->form));
  CHECK(std::get<square>(read->form).side == 2.5f);
  CHECK(read->free.dump() == R"({"any":[1,"x",null,-2,1.5]})");

  const std::string text = json::to_text(*read);
  const auto again = json::parse<everything>(text);
  REQUIRE(again);
  CHECK(json::to_text(*again) == text);
}

TEST_CASE("every violation is reported with its pointer and its rule") {
  CHECK(broken("[]") == list{{"", "type"}});
  CHECK(broken("null") == list{{"", "type"}});
  CHECK(broken("{}") == list{{"/text", "required"}});
  CHECK(broken(R"({"flag":1,"small":128,"large":-1,"whole":1.5,"real":"x","text":null,"tint":"green","at":"x",
                   "on":"2026-02-30","id":"1","maybe":[],"list":[1,"2"],"counts":{"a/b":"~"},
                   "children":[{"text":1,"x~y/z":2},{}],"form":{"radius":1},"surprise":[[]]})") ==
        list{{"/flag", "type"},
             {"/small", "maximum"},
             {"/large", "minimum"},
             {"/whole", "type"},
             {"/real", "type"},
             {"/text", "type"},
             {"/tint", "enum"},
             {"/at", "format"},
             {"/on", "format"},
             {"/id", "format"},
             {"/maybe", "type"},
             {"/list/1", "type"},
             {"/counts/a~1b", "type"},
             {"/children/0/text", "type"},
             {"/children/0/x~0y~1z", "additionalProperties"},
             {"/children/1/text", "required"},
             {"/form/kind", "required"},
             {"/surprise", "additionalProperties"}});
  CHECK(broken(R"({"text":"","form":{"kind":"cube"}})") == list{{"/form/kind", "enum"}});
  CHECK(broken(R"({"text":"","form":{"kind":3}})") == list{{"/form/kind", "type"}});
  CHECK(broken(R"({"text":"","form":{"side":"x","kind":"square","radius":1}})") ==
        list{{"/form/side", "type"}, {"/form/radius", "additionalProperties"}});
}

TEST_CASE("violations stop being collected at the limit") {
  std::string text = R"({"text":"","list":[)";
  for (int i = 0; i < 5000; ++i) text += "\"x\",";
  text += "1]}";
  const auto read = json::parse<everything>(text);
  REQUIRE_FALSE(read);
  CHECK(read.error().violations().size() == 100);
}
