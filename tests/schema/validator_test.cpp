#include "corbel/schema/validator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "schema/violations.hpp"

namespace schema = corbel::schema;

namespace {

rule_list broken(std::string_view document, std::string_view text) {
  const auto made = schema::from_json_schema(document);
  if (!made) FAIL(made.error().message());
  return rules_of(made->check_text(text));
}

std::string refused(std::string_view document) {
  const auto made = schema::from_json_schema(document);
  if (made) return "";
  CHECK(made.error().code() == "bad_schema");
  return made.error().message();
}

bool says(const std::string& message, std::string_view part) {
  CAPTURE(message);
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a schema file reports every violation with its pointer and keyword") {
  constexpr auto document = R"({
    "$schema":"https://json-schema.org/draft/2020-12/schema", "$id":"https://example.org/order",
    "type":"object", "required":["id","items"], "additionalProperties":false,
    "properties":{
      "id":{"type":"string","format":"uuid"},
      "mail":{"type":["string","null"],"format":"email","maxLength":20},
      "pattern":{"type":"string","pattern":"^[\\u0041-\\u005a]+$","minLength":1},
      "items":{"type":"array","minItems":1,"maxItems":2,"uniqueItems":true,"items":{"$ref":"#/$defs/item"}},
      "kind":{"enum":["a","b",3]},
      "fixed":{"const":{"a":1}},
      "any":{"anyOf":[{"type":"integer"},{"type":"boolean"}]},
      "never":false},
    "$defs":{"item":{"type":"object","properties":{
      "count":{"type":"integer","minimum":1,"exclusiveMaximum":10},
      "price":{"type":"number","exclusiveMinimum":0,"multipleOf":0.01,"maximum":100}}}}})";
  CHECK(broken(document, R"({"id":"0190a5b0-6c1e-7cc0-8000-0123456789ab","mail":null,"pattern":"AZ",
      "items":[{"count":1.0,"price":0.07},{"count":9}],"kind":3,"fixed":{"a":1.0},"any":true})")
            .empty());
  CHECK(broken(document, "{}") == rule_list{{"/id", "required"}, {"/items", "required"}});
  CHECK(broken(document, "[]") == rule_list{{"", "type"}});
  auto all = broken(document, R"({"id":"x","mail":"nobody","pattern":"","items":[{"count":0,"price":0},
      {"count":10,"price":0.005},{"count":1.5,"price":101},{"count":10,"price":0.005}],"kind":"c","fixed":{"a":2},
      "any":"x","never":1,"a/b~c":1})");
  std::sort(all.begin(), all.end());
  CHECK(all == rule_list{{"/any", "anyOf"},
                         {"/any", "type"},
                         {"/any", "type"},
                         {"/a~1b~0c", "additionalProperties"},
                         {"/fixed", "const"},
                         {"/id", "format"},
                         {"/items", "maxItems"},
                         {"/items", "uniqueItems"},
                         {"/items/0/count", "minimum"},
                         {"/items/0/price", "exclusiveMinimum"},
                         {"/items/1/count", "exclusiveMaximum"},
                         {"/items/1/price", "multipleOf"},
                         {"/items/2/count", "type"},
                         {"/items/2/price", "maximum"},
                         {"/items/3/count", "exclusiveMaximum"},
                         {"/items/3/price", "multipleOf"},
                         {"/kind", "enum"},
                         {"/mail", "format"},
                         {"/pattern", "minLength"},
                         {"/pattern", "pattern"}});
}

TEST_CASE("a schema that only says no still gives a violation") {
  CHECK(broken(R"({"properties":{"x":false}})", R"({"x":1})") == rule_list{{"", "schema"}});
  CHECK(broken("false", "1") == rule_list{{"", "schema"}});
  CHECK(broken("true", "1").empty());
}

TEST_CASE("words of 2020-12 that draft 7 says otherwise") {
  constexpr auto tuple = R"({"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"}})";
  CHECK(broken(tuple, R"([1,"a",null])").empty());
  CHECK_FALSE(broken(tuple, R"([1,"a",2])").empty());
  CHECK_FALSE(broken(tuple, R"(["a"])").empty());
  constexpr auto needs = R"({"dependentRequired":{"a":["b"]},"dependentSchemas":{"a":{"required":["c"]}}})";
  CHECK(broken(needs, R"({"a":1,"b":1,"c":1})").empty());
  CHECK_FALSE(broken(needs, R"({"a":1,"c":1})").empty());
  CHECK_FALSE(broken(needs, R"({"a":1,"b":1})").empty());
  constexpr auto beside = R"({"$ref":"#/$defs/n","maximum":5,"$defs":{"n":{"type":"integer"}}})";
  CHECK(broken(beside, "5").empty());
  CHECK(broken(beside, "6") == rule_list{{"", "maximum"}});
  CHECK(broken(beside, "\"x\"") == rule_list{{"", "type"}});
}

TEST_CASE("conditions, negations and the rest of the structure keywords") {
  constexpr auto when = R"({"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"required":["b"]},
                            "else":{"required":["c"]}})";
  CHECK(broken(when, R"({"a":1,"b":1})").empty());
  CHECK(broken(when, R"({"a":1})") == rule_list{{"/b", "required"}});
  CHECK(broken(when, R"({"a":2})") == rule_list{{"/c", "required"}});
  CHECK(broken(R"({"not":{"type":"string"}})", "\"x\"") == rule_list{{"", "not"}});
  CHECK(broken(R"({"contains":{"type":"string"}})", "[1]") == rule_list{{"", "contains"}});
  CHECK(broken(R"({"minProperties":1})", "{}") == rule_list{{"", "minProperties"}});
  CHECK(broken(R"({"propertyNames":{"maxLength":1}})", R"({"ab":1})").size() == 1);
  CHECK(broken(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "3") == rule_list{{"", "oneOf"}});
  CHECK(broken(R"({"type":"array","items":{"$ref":"#"},"maxItems":1})", "[[[1,2]]]") ==
        rule_list{{"/0/0/0", "type"}, {"/0/0/1", "type"}, {"/0/0", "maxItems"}});
}

TEST_CASE("numbers at the edge of 64 bits keep their order") {
  CHECK(broken(R"({"type":"integer","minimum":0})", "18446744073709551615").empty());
  CHECK(broken(R"({"type":"integer"})", "1e300").empty());
  CHECK(broken(R"({"type":"integer"})", "1e-1") == rule_list{{"", "type"}});
  CHECK(broken(R"({"maximum":9223372036854775807})", "1e19") == rule_list{{"", "maximum"}});
}

TEST_CASE("numbers are compared exactly, whatever holds them") {
  CHECK(broken(R"({"maximum":18446744073709551615})", "5").empty());
  CHECK(broken(R"({"maximum":18446744073709551614})", "18446744073709551615") == rule_list{{"", "maximum"}});
  CHECK(broken(R"({"exclusiveMinimum":9223372036854775808})", "9223372036854775808") ==
        rule_list{{"", "exclusiveMinimum"}});
  CHECK(broken(R"({"minimum":9007199254740993})", "9007199254740992") == rule_list{{"", "minimum"}});
  CHECK(broken(R"({"maximum":9007199254740992.0})", "9007199254740993") == rule_list{{"", "maximum"}});
  CHECK(broken(R"({"maximum":-9007199254740993})", "-9007199254740992") == rule_list{{"", "maximum"}});
  CHECK(broken(R"({"const":18446744073709551615})", "18446744073709551615").empty());
  CHECK(broken(R"({"const":18446744073709551615})", "-1") == rule_list{{"", "const"}});
  CHECK(broken(R"({"const":9007199254740993})", "9007199254740992") == rule_list{{"", "const"}});
  CHECK(broken(R"({"const":{"a":[1.0]}})", R"({"a":[1]})").empty());
  CHECK(broken(R"({"const":0})", "-0.0").empty());
  CHECK(broken(R"({"enum":[9007199254740993,18446744073709551615]})", "18446744073709551615").empty());
  CHECK(broken(R"({"enum":[9007199254740993]})", "9007199254740992") == rule_list{{"", "enum"}});
  CHECK(broken(R"({"uniqueItems":true})", "[9007199254740992,9007199254740993,-1,18446744073709551615]")
            .empty());
  CHECK(broken(R"({"uniqueItems":true})", "[9223372036854775808,9223372036854775808.0]") ==
        rule_list{{"", "uniqueItems"}});
  CHECK(broken(R"({"uniqueItems":true})", "[1,1.0]") == rule_list{{"", "uniqueItems"}});
  CHECK(broken(R"({"multipleOf":18446744073709551615})", "18446744073709551615").empty());
  CHECK(broken(R"({"multipleOf":2})", "9007199254740993") == rule_list{{"", "multipleOf"}});
  CHECK(broken(R"({"type":"integer"})", "18446744073709551615").empty());
}

TEST_CASE("a multiple misses by no more than the last digits") {
  CHECK(broken(R"({"multipleOf":0.01})", "5000000.01").empty());
  CHECK(broken(R"({"multipleOf":0.01})", "0.30000000000000004").empty());
  CHECK(broken(R"({"multipleOf":0.01})", "5000000.005") == rule_list{{"", "multipleOf"}});
  CHECK(broken(R"({"multipleOf":1})", "500000000.5") == rule_list{{"", "multipleOf"}});
  CHECK(broken(R"({"multipleOf":1})", "1e-12") == rule_list{{"", "multipleOf"}});
  CHECK(broken(R"({"multipleOf":0.01})", "1e-12") == rule_list{{"", "multipleOf"}});
  CHECK(broken(R"({"multipleOf":0.01})", "0").empty());
  CHECK(broken(R"({"multipleOf":0.03})", "1e20") == rule_list{{"", "multipleOf"}});
}

TEST_CASE("counts may be written with a fraction of nothing") {
  CHECK(broken(R"({"maxItems":2.0,"minItems":1e0})", "[1,2]").empty());
  CHECK(broken(R"({"maxItems":2.0})", "[1,2,3]") == rule_list{{"", "maxItems"}});
  CHECK(broken(R"({"maxLength":2.0,"minLength":1.0})", "\"abc\"") == rule_list{{"", "maxLength"}});
  CHECK(broken(R"({"minProperties":1.0,"maxProperties":1e30})", "{}") == rule_list{{"", "minProperties"}});
  CHECK(says(refused(R"({"maxLength":2.5})"), "maxLength"));
  CHECK(says(refused(R"({"minLength":-1})"), "minLength"));
}

TEST_CASE("members by the pattern of their name") {
  constexpr auto document = R"({"properties":{"id":{"type":"integer"}},"additionalProperties":false,
      "patternProperties":{"^x-":{"type":"string"},"-n$":{"maxLength":2},"%":false,"^c/":{"$ref":"#"}}})";
  CHECK(broken(document, R"({"id":1,"x-a":"abc","x-n":"ab","c/1":{"x-b":"1"}})").empty());
  CHECK(broken(document, R"({"id":"1"})") == rule_list{{"/id", "type"}});
  CHECK(broken(document, R"({"x-a":1})") == rule_list{{"/x-a", "type"}});
  CHECK(broken(document, R"({"x-n":"abc"})") == rule_list{{"/x-n", "maxLength"}});
  CHECK(broken(document, R"({"other":1})") == rule_list{{"/other", "additionalProperties"}});
  CHECK(broken(document, R"({"%":1})") == rule_list{{"/%", "schema"}});
  CHECK(broken(document, R"({"c/1":{"x-b":1,"d":2}})") ==
        rule_list{{"/c~11/d", "additionalProperties"}, {"/c~11/x-b", "type"}});
  constexpr auto rest = R"({"patternProperties":{"^a":true},"additionalProperties":{"type":"null"}})";
  CHECK(broken(rest, R"({"a":1,"b":null})").empty());
  CHECK(broken(rest, R"({"b":1})") == rule_list{{"/b", "type"}});
  constexpr auto by_pointer = R"({"properties":{"k":{"$ref":"#/patternProperties/%5Ea/items"}},
      "patternProperties":{"^a":{"items":{"type":"integer"}}}})";
  CHECK(broken(by_pointer, R"({"k":"x"})") == rule_list{{"/k", "type"}});
}

TEST_CASE("schemas are found by their $id and by anchors") {
  constexpr auto document = R"({"$schema":"http://json-schema.org/draft-07/schema#",
      "$id":"https://example.org/schemas/order.json",
      "properties":{"a":{"$ref":"item.json"},"b":{"$ref":"#count"},"c":{"$ref":"order.json#/definitions/n"},
                    "d":{"$ref":"https://example.org/schemas/item.json#/definitions/deep"},"e":{"$ref":"#"}},
      "definitions":{"n":{"$id":"#count","type":"integer"},
                     "i":{"$id":"item.json","type":"string","definitions":{"deep":{"type":"null"}}}}})";
  CHECK(broken(document, R"({"a":"x","b":1,"c":2,"d":null,"e":{"a":"y"}})").empty());
  for (const char* name : {"a", "b", "c", "d"})
    CHECK(broken(document, std::string("{\"") + name + "\":true}") ==
          rule_list{{std::string("/") + name, "type"}});
  CHECK(says(refused(R"({"$id":"https://example.org/a","$ref":"b"})"), "$ref"));
}

TEST_CASE("draft 7 ignores what stands beside a reference") {
  constexpr auto beside = R"({"$schema":"http://json-schema.org/draft-07/schema#",
      "properties":{"a":{"$ref":"#/definitions/n","maximum":5}},"definitions":{"n":{"type":"integer"}}})";
  CHECK(broken(beside, R"({"a":6})").empty());
  CHECK(broken(beside, R"({"a":"x"})") == rule_list{{"/a", "type"}});
}

TEST_CASE("a schema that cannot be run is refused at start, with the reason and the place") {
  CHECK(says(refused("{"), "byte 1"));
  CHECK(says(refused("3"), "at #,"));
  CHECK(says(refused(R"_({"properties":{"a":{"pattern":"a(?=b)"}}})_"), "a(?=b)"));
  CHECK(says(refused(R"({"properties":{"a":{"minContains":1}}})"), "#/properties/a"));
  CHECK(says(refused(R"_({"patternProperties":{"a(?=b)":{}}})_"), "a(?=b)"));
  CHECK(says(refused(R"({"items":{"unevaluatedProperties":false}})"), "unevaluatedProperties"));
  CHECK(says(refused(R"({"minimum":1,"exclusiveMinimum":true})"), "exclusiveMinimum"));
  CHECK(says(refused(R"({"$ref":"https://example.org/x"})"), "$ref"));
  CHECK(says(refused(R"({"$ref":"#/$defs/none"})"), "$ref"));
  CHECK(says(refused(R"({"$ref":"#"})"), "without end"));
  CHECK(says(refused(R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#"}]}}})"), "without end"));
  CHECK(says(refused(R"({"type":"strin"})"), "strin"));
  CHECK(says(refused(R"({"multipleOf":0})"), "multipleOf"));
  CHECK(says(refused(R"({"required":"x"})"), "cannot be used"));
}

TEST_CASE("text that is no JSON is malformed here too") {
  const auto made = schema::from_json_schema("{}");
  REQUIRE(made);
  const auto read = made->check_text(R"({"a":1,"a":2})");
  REQUIRE_FALSE(read);
  CHECK(read.error().kind() == corbel::error_kind::malformed);
  CHECK(read.error().details()[0].second == "7");
}

TEST_CASE("many items are compared in little time") {
  const auto made = schema::from_json_schema(R"({"uniqueItems":true})");
  REQUIRE(made);
  std::string text = "[0";
  for (int i = 1; i < 200'000; ++i) text += "," + std::to_string(i);
  CHECK(made->check_text(text + "]"));
  CHECK(rules_of(made->check_text(text + ",5]")) == rule_list{{"", "uniqueItems"}});
}

TEST_CASE("a schema may come from a file") {
  const std::string path = "validator_test.schema.json";
  std::ofstream(path) << R"({"type":"integer"})";
  const auto made = schema::from_json_schema_file(path);
  REQUIRE(made);
  CHECK(made->check_text("1"));
  std::remove(path.c_str());
  CHECK_FALSE(schema::from_json_schema_file(path));
}
