#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "corbel/base/json/dom.hpp"
#include "corbel/schema/json_schema.hpp"
#include "corbel/schema/parse.hpp"
#include "effort.hpp"
#include "schema/bodies.hpp"
#include "schema/body_generator.hpp"
#include "schema/engine.hpp"

/// The decoder that reads and checks bodies must agree with valijson running the schema that is published:
/// the same verdict on every body, and the same places blamed.
namespace {

namespace schema = corbel::schema;
using nlohmann::json;
using namespace sample::bodies;

std::string parent_of(const std::string& pointer) {
  return pointer.substr(0, pointer.rfind('/'));
}

/// The places blamed, where both sides can mean the same: a missing or unknown member blames its object, and
/// anything within a union blames the union, for valijson complains about every alternative.
std::set<std::string> places(const std::vector<corbel::violation>& all,
                             const std::vector<std::string>& unions) {
  std::set<std::string> out;
  for (const auto& v : all) {
    std::string at = v.rule == "required" || v.rule == "additionalProperties" ? parent_of(v.path) : v.path;
    for (const auto& prefix : unions)
      if (at == prefix || at.starts_with(prefix + "/")) at = prefix;
    out.insert(at);
  }
  return out;
}

/// Whether list elements are unique is only asked of lists whose elements are right; valijson asks always.
std::vector<corbel::violation> without_moot_uniqueness(std::vector<corbel::violation> all) {
  const auto copy = all;
  std::erase_if(all, [&copy](const corbel::violation& v) {
    return v.rule == "uniqueItems" &&
           std::any_of(copy.begin(), copy.end(),
                       [&v](const corbel::violation& other) { return other.path.starts_with(v.path + "/"); });
  });
  return all;
}

/// A number from the environment, so that a long run needs no build.
std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  std::uint64_t value = otherwise;
  if (text) std::from_chars(text, text + std::char_traits<char>::length(text), value);
  return value;
}

template <class T>
void compare(std::uint64_t cases, std::vector<json> valid, const std::vector<std::string>& unions = {}) {
  auto prepared = schema::prepare_schema(json::parse(schema::json_schema<T>()), schema::leaf_rules::native);
  REQUIRE(prepared);
  const auto engine = schema::compile_schema(std::move(*prepared));
  REQUIRE(engine);

  for (const auto& body : valid) REQUIRE(schema::parse<T>(body.dump()));
  const std::uint64_t seed = setting("CORBEL_DIFFERENTIAL_SEED", 1);
  body_generator bodies(seed, std::move(valid));
  std::uint64_t good = 0;
  for (std::uint64_t i = 0; i < cases; ++i) {
    const std::string text = bodies.next().dump();
    json dom;
    REQUIRE(corbel::json::parse_dom(text, dom));
    const auto ours = schema::parse<T>(text);
    const auto theirs = without_moot_uniqueness((*engine)->run(dom));
    good += ours.has_value();
    const auto blamed = ours ? std::vector<corbel::violation>{} : ours.error().violations();
    if (ours.has_value() == theirs.empty() && places(blamed, unions) == places(theirs, unions)) continue;
    std::string report = "seed " + std::to_string(seed) + ", case " + std::to_string(i) + ": " + text;
    for (const auto& v : blamed) report += "\n  ours   " + v.path + " " + v.rule + ": " + v.message;
    for (const auto& v : theirs) report += "\n  theirs " + v.path + " " + v.rule + ": " + v.message;
    FAIL(report);
  }
  // Both verdicts must have been tried, or agreement means nothing.
  CHECK(good > cases / 20);
  CHECK(good < cases - cases / 20);
}

std::uint64_t cases() {
#ifdef NDEBUG
  constexpr int usual = 1'000'000;
#else
  constexpr int usual = 30'000;  // a debug build with sanitizers takes 50 times as long
#endif
  return setting("CORBEL_DIFFERENTIAL_CASES", static_cast<std::uint64_t>(effort(usual))) / 3;
}

}  // namespace

TEST_CASE("valijson agrees about a flat body") {
  compare<project>(
      cases(), {json::parse(R"({"name":"Apollo launch scheduler","description":"Plan and track.","ownerId":42,
      "status":"active","former":"archived","priority":3,"tags":["alpha","beta","release"],"dueDate":"2026-12-31"})"),
                json::parse(R"({"name":"abc","ownerId":1,"former":null,"description":null})")});
}

TEST_CASE("valijson agrees about nested, recursive and open bodies") {
  const json one = json::parse(R"({"buyer":{"mail":"a@b.c","more":[1]},"at":"2026-01-02T03:04:05Z",
      "lines":[{"sku":"AB-1","count":3,"price":1.5}]})");
  json two = json::parse(R"({"buyer":{"mail":"a@b.c","friendly":true},"at":"2026-01-02T03:04:05+01:00",
      "payer":{"mail":"x@y.z","id":"0190a5b0-6c1e-7cc0-8000-0123456789ab"},"counts":{"a":1,"b/c":-5},
      "lines":[{"sku":"AB-1","count":3,"price":1},{"sku":"ZZ-99","count":255,"price":99}],
      "grid":[[1,2],[1.5]],"free":{"x":[null]}})");
  two["parts"] = {one, one};
  compare<order>(cases(), {one, two});
}

TEST_CASE("valijson agrees about unions") {
  compare<drawing>(
      cases(),
      {json::parse(R"({"main":{"kind":"circle","radius":2}})"),
       json::parse(R"({"main":{"side":3,"note":"x","kind":"square"},"extra":null})"),
       json::parse(R"({"main":{"kind":"square","side":65535},"extra":{"radius":1e3,"kind":"circle"}})")},
      {"/main", "/extra"});
}
