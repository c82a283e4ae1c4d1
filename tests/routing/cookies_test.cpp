#include "corbel/routing/cookies.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "corbel/routing/with.hpp"
#include "routing/bare.hpp"

namespace {

using namespace corbel;
using std::chrono::minutes;

struct visitor {
  int id = 0;
  std::string role;
};
constexpr auto describe(tag<visitor>) {
  using namespace corbel::rules;
  return object(field("id", &visitor::id), field("role", &visitor::role, text().min(1)));
}

/// What the browser sends back of a response.
std::string sent_back(const response& out) {
  const auto field = out.header("Set-Cookie").value_or("");
  return std::string(field.substr(0, field.find(';')));
}

struct service {
  cookie_keys keys{std::string(32, 'k')};
  app a{bare()};
  service() {
    a.provide(keys);
    a.post("/sign/:n", [](path<int> n, state<cookie_keys> k) {
      return with().cookie(k->sign("uid", std::to_string(*n)));
    });
    a.post("/seal", [](state<cookie_keys> k, const request& in) {
      return with().cookie(k->seal("who", visitor{7, "editor"}, in.now() + minutes(10)));
    });
    a.post("/old", [](state<cookie_keys> k) { return with().cookie(k->seal("who", R"({"id":7})")); });
    a.get("/signed", [](signed_cookie<int, "uid"> uid) { return *uid; });
    a.get("/maybe", [](signed_cookie<std::optional<int>, "uid"> uid) { return uid->value_or(-1); });
    a.get("/sealed", [](sealed_cookie<visitor, "who"> who) { return who->role + std::to_string(who->id); });
    a.get("/perhaps",
          [](sealed_cookie<std::optional<visitor>, "who"> who) { return *who ? (*who)->role : "nobody"; });
    a.get("/plain", [](cookie<std::string, "theme"> theme) { return *theme; });
  }
  std::string ask(const std::string& path, const std::string& cookie) {
    const auto out = a.inject(get(path).header("Cookie", cookie));
    return out.code() == 200 ? out.body() : std::to_string(out.code());
  }
};

}  // namespace

TEST_CASE("signed and sealed cookies come back as typed values") {
  service s;
  const auto uid = sent_back(s.a.inject(post("/sign/42")));
  CHECK(s.ask("/signed", uid) == "42");
  CHECK(s.ask("/maybe", uid) == "42");
  CHECK(s.ask("/maybe", "a=b") == "-1");
  CHECK(s.ask("/maybe", uid + "x") == "-1");
  CHECK(s.ask("/signed", uid + "x") == "400");
  CHECK(s.ask("/signed", "uid=42") == "400");
  CHECK(s.ask("/signed", "a=b") == "400");
  const auto who = sent_back(s.a.inject(post("/seal")));
  CHECK(who.find("editor") == std::string::npos);
  CHECK(s.ask("/sealed", who) == "editor7");
  CHECK(s.ask("/perhaps", who) == "editor");
  CHECK(s.ask("/perhaps", who.substr(0, who.size() - 4)) == "nobody");
  CHECK(s.ask("/sealed", "who=" + uid.substr(4)) == "400");
  // Made by an older program, for a type that has changed since.
  const auto old = sent_back(s.a.inject(post("/old")));
  CHECK(s.ask("/perhaps", old) == "nobody");
  CHECK(s.ask("/sealed", old) == "400");
}

TEST_CASE("a plain cookie is percent-decoded") {
  service s;
  CHECK(s.ask("/plain", "theme=a%20b%3B") == "a b;");
  CHECK(s.ask("/plain", "theme=50%") == "50%");
  CHECK(s.ask("/plain", "theme=%ff") == "400");
}

TEST_CASE("cookies without keys stop the start") {
  app a(bare());
  a.get("/", [](signed_cookie<int, "uid"> uid) { return *uid; });
  CHECK_THROWS_WITH_AS(a.inject(get("/")), doctest::Contains("cookie_keys"), wiring_error);
}
