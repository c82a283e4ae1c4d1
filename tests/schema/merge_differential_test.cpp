#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "corbel/base/json/writer.hpp"
#include "corbel/schema/merge_patch.hpp"
#include "effort.hpp"
#include "schema/bodies.hpp"
#include "schema/body_generator.hpp"

/// A patch merged into a typed value must give what RFC 7396 gives on the JSON form of that value, read back.
namespace {

namespace schema = corbel::schema;
using nlohmann::json;
using namespace sample::bodies;

/// Whether the patch removes a member nobody knows: the RFC shrugs, we refuse the name.
bool only_unknown(const corbel::error& error) {
  for (const auto& v : error.violations())
    if (v.rule != "additionalProperties") return false;
  return true;
}

/// Random members of `body`, some of them null.
json patch_from(const json& body, body_generator& random) {
  if (!body.is_object()) return body;
  json patch = json::object();
  for (const auto& [name, value] : body.items()) {
    if (random.below(3) == 0) continue;
    patch[name] = random.below(5) == 0 ? json() : patch_from(value, random);
  }
  return patch;
}

template <class T>
void compare(std::vector<json> valid) {
  body_generator bodies(5, valid);
  int merged = 0;
  int refused = 0;
  for (int i = 0, rounds = effort(30'000); i < rounds; ++i) {
    auto current = schema::parse<T>(bodies.next().dump());
    if (!current) continue;
    const std::string before = corbel::json::to_text(*current);
    const json patch = patch_from(bodies.next(), bodies);
    CAPTURE(before);
    CAPTURE(patch.dump());

    json reference = json::parse(before);
    reference.merge_patch(patch);
    const auto expected = schema::parse<T>(reference.dump());

    const auto checked = schema::merge_patch<T>::parse(patch.dump());
    if (!checked) {
      if (expected) REQUIRE(only_unknown(checked.error()));
      ++refused;
      continue;
    }
    const auto done = checked->apply_to(*current);
    REQUIRE(done.has_value() == expected.has_value());
    // As DOMs: nlohmann reads -0 as 0 on the way of the reference.
    if (done)
      REQUIRE(json::parse(corbel::json::to_text(*current)) == json::parse(corbel::json::to_text(*expected)));
    if (!done) REQUIRE(corbel::json::to_text(*current) == before);
    ++merged;
  }
  CHECK(merged > 2'000);
  CHECK(refused > 500);
}

}  // namespace

TEST_CASE("RFC 7396 on the JSON form agrees about a flat body") {
  compare<project>({json::parse(R"({"name":"Apollo","description":"Plan.","ownerId":42,
      "status":"active","former":"archived","priority":3,"tags":["alpha"],"dueDate":"2026-12-31"})"),
                    json::parse(R"({"name":"abc","ownerId":1,"former":null,"description":null})")});
}

TEST_CASE("RFC 7396 on the JSON form agrees about nested bodies") {
  compare<order>({json::parse(R"({"buyer":{"mail":"a@b.c"},"at":"2026-01-02T03:04:05Z",
      "lines":[{"sku":"AB-1","count":3,"price":1.5}],"free":{"a":{"b":1}}})"),
                  json::parse(R"({"buyer":{"mail":"a@b.c","friendly":true},"at":"2026-01-02T03:04:05Z",
      "payer":{"mail":"x@y.z","id":"0190a5b0-6c1e-7cc0-8000-0123456789ab"},"counts":{"a":1,"b/c":-5},
      "lines":[{"sku":"AB-1","count":3,"price":1}],"grid":[[1,2],[1.5]],
      "free":{"a":{"b":null,"c":[null]},"d":2}})")});
}
