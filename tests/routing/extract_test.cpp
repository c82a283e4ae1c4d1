#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "corbel/base/uuid.hpp"
#include "routing/bare.hpp"

namespace {

using namespace corbel;

enum class color { red, green };
constexpr auto describe(tag<color>) {
  using namespace corbel::rules;
  return enumeration(value("red", color::red), value("green", color::green));
}
struct filter {
  int page = 1;
  std::vector<std::string> tags;
  std::optional<color> shade;
};
constexpr auto describe(tag<filter>) {
  using namespace corbel::rules;
  return object(field("page", &filter::page, number().min(1).defaulted()),
                field("tag", &filter::tags, list_of(text().min(2)).max(3).defaulted()),
                field("shade", &filter::shade));
}
struct project {
  std::string name;
  int priority = 0;
};
constexpr auto describe(tag<project>) {
  using namespace corbel::rules;
  return object(field("name", &project::name, text().trim().min(3)),
                field("priority", &project::priority, number().between(0, 5).defaulted()));
}
struct principal {
  std::string name;
};

std::string rules_of(const injected_response& out) {
  const auto body = nlohmann::json::parse(out.body(), nullptr, false);
  if (body.is_discarded()) return "no JSON: " + out.body();
  std::string all = std::to_string(out.code()) + ' ' + body["code"].get<std::string>();
  for (const auto& each : body["details"].value("errors", nlohmann::json::array()))
    all += ' ' + each["in"].get<std::string>() + each["path"].get<std::string>() + ':' +
           each["rule"].get<std::string>();
  return all;
}

}  // namespace

template <>
struct corbel::extractor<principal> {
  static corbel::result<principal> extract(const corbel::request& in) {
    const auto who = in.header("X-User");
    if (!who) return corbel::unauthenticated("Say who you are.");
    return principal{std::string(*who)};
  }
};

TEST_CASE("path parameters are found by name, and without one by what is left") {
  app a(bare());
  a.get("/one/:id", [](path<int> id) { return *id; });
  a.get("/two/:a/:b",
        [](path<std::string> first, path<std::string> second) { return *first + '-' + *second; });
  a.get("/named/:a/:b",
        [](path<std::string, "b"> b, path<std::string, "a"> first) { return *first + '-' + *b; });
  a.get("/mixed/:a/:b",
        [](path<std::string, "a"> first, path<std::string> rest) { return *first + '-' + *rest; });
  a.get("/mixed2/:a/:b/:c", [](path<std::string> x, path<std::string, "b"> b, path<std::string> y) {
    return *x + '-' + *b + '-' + *y;
  });
  a.get("/twice/:a", [](path<std::string, "a"> x, path<std::string, "a"> y) { return *x + '-' + *y; });
  a.get("/rest/*tail", [](path<std::string> tail) { return *tail; });
  const auto body = [&](const char* path) { return a.inject(get(path)).body(); };
  CHECK(body("/one/42") == "42");
  CHECK(body("/two/x/y") == "x-y");
  CHECK(body("/named/x/y") == "x-y");
  CHECK(body("/mixed/x/y") == "x-y");
  CHECK(body("/mixed2/x/y/z") == "x-y-z");
  CHECK(body("/twice/x") == "x-x");
  CHECK(body("/rest/a/b%20c") == "a/b c");
}

TEST_CASE("scalars of every kind, good and bad") {
  app a(bare());
  a.get("/int/:v", [](path<int> v) { return *v; });
  a.get("/byte/:v", [](path<std::uint8_t> v) { return *v; });
  a.get("/bool/:v", [](path<bool> v) { return *v; });
  a.get("/double/:v", [](path<double> v) { return *v; });
  a.get("/color/:v", [](path<color> v) { return *v == color::red ? 1 : 2; });
  a.get("/uuid/:v", [](path<uuid> v) { return to_text(*v); });
  a.get("/date/:v", [](path<date>) { return true; });
  const auto code = [&](const std::string& path) { return a.inject(get(path)).code(); };
  const std::string id = "018f4c7e-0000-7000-8000-000000000000";
  for (const std::string good : {"/int/-7", "/int/2147483647", "/byte/255", "/bool/true", "/bool/false",
                                 "/double/1.5", "/double/-1e3", "/color/red", "/date/2026-12-31"})
    CHECK_MESSAGE(code(good) == 200, good);
  CHECK(a.inject(get("/uuid/" + id)).body() == id);
  for (const std::string bad :
       {"/int/x", "/int/1x", "/int/+1", "/int/2147483648", "/int/%201", "/int/1.0", "/int/0x1", "/byte/256",
        "/byte/-1", "/bool/yes", "/bool/TRUE", "/double/nan", "/double/inf", "/double/1,5", "/color/blue",
        "/uuid/7", "/date/2026-02-30", "/date/2026-1-1"}) {
    CAPTURE(bad);
    const auto out = a.inject(get(bad));
    CHECK(rules_of(out).substr(0, 28) == "400 validation_failed path/v");
  }
}

TEST_CASE("a query is read whole, with every failure listed") {
  app a(bare());
  a.get("/", [](query<filter> f) {
    return std::to_string(f->page) + ' ' + std::to_string(f->tags.size()) + (f->shade ? " shade" : "");
  });
  const auto ask = [&](const std::string& q) {
    const auto out = a.inject(get("/" + q));
    return out.code() == 200 ? out.body() : rules_of(out);
  };
  CHECK(ask("") == "1 0");
  CHECK(ask("?page=2&tag=aa&tag=bb&shade=red") == "2 2 shade");
  CHECK(ask("?tag=a%26b") == "1 1");
  CHECK(ask("?page=0").find("query/page:") != std::string::npos);
  CHECK(ask("?shade=") == "1 0");
  const auto all = ask("?page=x&tag=a&shade=blue&other=1");
  for (const auto* each : {"query/page:", "query/tag", "query/shade:", "query/other:"})
    CHECK_MESSAGE(all.find(each) != std::string::npos, all);
  CHECK(ask("?page=1&page=2").substr(0, 3) == "400");
  CHECK(ask("?page=%zz").substr(0, 19) == "400 malformed_query");
  CHECK(ask("?a=%00").substr(0, 19) == "400 malformed_query");
}

TEST_CASE("headers and cookies are there or not") {
  app a(bare());
  a.get("/header", [](header<int, "X-Number"> n) { return *n; });
  a.get("/maybe", [](header<std::optional<int>, "X-Number"> n) { return n->value_or(-1); });
  a.get("/cookie", [](cookie<std::string, "sid"> c) { return *c; });
  a.get("/maybe-cookie", [](cookie<std::optional<std::string>, "sid"> c) { return c->value_or("none"); });
  CHECK(a.inject(get("/header").header("x-number", "5")).body() == "5");
  CHECK(rules_of(a.inject(get("/header"))) == "400 validation_failed header/X-Number:required");
  CHECK(rules_of(a.inject(get("/header").header("X-Number", "five"))).substr(0, 40) ==
        "400 validation_failed header/X-Number:ty");
  CHECK(a.inject(get("/maybe")).body() == "-1");
  CHECK(a.inject(get("/maybe").header("X-Number", "9")).body() == "9");
  CHECK(a.inject(get("/maybe").header("X-Number", "x")).code() == 400);
  CHECK(a.inject(get("/cookie").header("Cookie", "a=b; sid=s1")).body() == "s1");
  CHECK(rules_of(a.inject(get("/cookie"))) == "400 validation_failed cookie/sid:required");
  CHECK(a.inject(get("/maybe-cookie")).body() == "none");
}

TEST_CASE("a header that stands for one value is given once") {
  app a(bare());
  a.get("/number", [](header<std::optional<int>, "X-Number"> n) { return n->value_or(-1); });
  a.get("/text", [](header<std::string, "X-Tenant"> t) { return *t; });
  a.get("/list", [](header<std::string, "Accept-Language"> l) { return *l; });
  const auto twice = [&](const char* target, const char* name, const char* first, const char* second) {
    return a.inject(get(target).header(name, first).header(name, second));
  };
  CHECK(rules_of(twice("/number", "X-Number", "1", "2")) == "400 validation_failed header/X-Number:maxItems");
  CHECK(rules_of(twice("/text", "x-tenant", "a", "a")) == "400 validation_failed header/X-Tenant:maxItems");
  CHECK(twice("/list", "Accept-Language", "de", "en").body() == "de, en");
  CHECK(a.inject(get("/list").header("Accept-Language", "de")).body() == "de");
}

TEST_CASE("a part is not put in the place of the whole") {
  app a(bare());
  a.put("/", [](body<project> in) { return in->name; });
  a.patch("/", [](merge_body<project>) { return std::string("patched"); });
  const std::string text = R"({"name":"Apollo","priority":5})";
  const auto out = a.inject(put("/").header("Content-Range", "bytes 0-9/20").body(text, "application/json"));
  CHECK(rules_of(out) == "400 partial_put");
  CHECK(a.inject(put("/").body(text, "application/json")).code() == 200);
}

TEST_CASE("a body is JSON by its type, whole, and valid") {
  app a(bare());
  a.post("/", [](body<project> in) { return in->name + ' ' + std::to_string(in->priority); });
  const auto ask = [&](const std::string& text, const std::string& type = "application/json") {
    const auto out = a.inject(post("/").body(text, type));
    return out.code() == 200 ? out.body() : rules_of(out);
  };
  const std::string good = R"({"name":" Apollo ","priority":3})";
  CHECK(ask(good) == "Apollo 3");
  for (const auto* type : {"application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json",
                           "application/json;charset=\"UTF-8\"", "application/json ; x=y"})
    CHECK_MESSAGE(ask(good, type) == "Apollo 3", type);
  for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                           "text/json", "json", "application/json; charset=latin1", "", "application/"})
    CHECK_MESSAGE(ask(good, type) == "415 unsupported_media_type", type);
  CHECK(rules_of(a.inject(post("/"))) == "400 missing_body");
  CHECK(rules_of(a.inject(post("/").header("Content-Type", "application/json"))).substr(0, 4) == "400 ");
  const auto all = ask(R"({"name":" x ","priority":9,"more":1})");
  for (const auto* each : {"body/name:minLength", "body/priority:maximum", "body/more:"})
    CHECK_MESSAGE(all.find(each) != std::string::npos, all);
  for (const std::string bad :
       {"{", "[1", "{}x", "{\"name\":\"abc\",\"name\":\"abc\"}", "\xff", "nul", "{\"name\":\"\xc3(\"}"})
    CHECK_MESSAGE(ask(bad).substr(0, 4) == "400 ", bad);
  CHECK(ask(std::string(10'000, '[')).substr(0, 4) == "400 ");
  CHECK(ask(std::string(200, '[') + std::string(200, ']')).substr(0, 4) == "400 ");
}

TEST_CASE("a merge patch is checked, then applied") {
  app a(bare());
  a.patch("/", [](merge_body<project> change) -> result<project> {
    project current{"Apollo", 3};
    if (auto done = change.apply_to(current); !done) return std::move(done).error();
    return current;
  });
  const auto ask = [&](const std::string& text, const std::string& type = "application/merge-patch+json") {
    const auto out = a.inject(patch("/").body(text, type));
    return out.code() == 200 ? out.body() : rules_of(out);
  };
  CHECK(ask("{}") == R"({"name":"Apollo","priority":3})");
  CHECK(ask(R"({"priority":5})", "application/json") == R"({"name":"Apollo","priority":5})");
  CHECK(ask(R"({"priority":null})") == R"({"name":"Apollo","priority":0})");
  CHECK(ask(R"({"name":null})").substr(0, 3) == "400");
  CHECK(ask(R"({"priority":6,"x":1})").find("body/priority:maximum") != std::string::npos);
  CHECK(ask("{}", "text/plain") == "415 unsupported_media_type");
}

TEST_CASE("every failure of an input is reported at once, wherever it stands") {
  app a(bare());
  int called = 0;
  a.post("/:id/:day", [&](path<int> id, path<date> day, query<filter> f, header<int, "X-N"> n,
                          cookie<std::string, "sid"> c, body<project> in) {
    ++called;
    (void)id, (void)day, (void)f, (void)n, (void)c, (void)in;
  });
  auto out = a.inject(post("/x/y?page=0&no=1").json(R"({"name":"a","priority":9})"));
  const auto all = rules_of(out);
  for (const auto* each : {"path/id:", "path/day:", "query/page:", "query/no:", "header/X-N:required",
                           "cookie/sid:required", "body/name:minLength", "body/priority:maximum"})
    CHECK_MESSAGE(all.find(each) != std::string::npos, all);
  CHECK(out.code() == 400);
  CHECK(called == 0);
  // An outright refusal goes before broken rules.
  CHECK(a.inject(post("/x/y").body("x", "text/plain")).code() == 415);
}

TEST_CASE("extractors of one's own, state and the request itself") {
  app a(bare());
  std::string service = "service";
  a.provide(service);
  a.get("/who", [](principal who) { return who.name; });
  a.get("/both", [](principal who, path<int, "id">) { return who.name; });
  CHECK_THROWS_AS(a.inject(get("/who")), wiring_error);

  app b(bare());
  b.provide(service);
  b.get("/who", [](principal who) { return who.name; });
  b.get("/state", [](state<std::string> s, const request& in) { return *s + std::string(in.path()); });
  b.get("/state-task", [](state<std::string> s, request& in) -> task<std::string> {
    co_await boost::asio::post(boost::asio::use_awaitable);
    co_return *s + std::string(in.path());
  });
  b.get("/who/:id", [](principal who, path<int> id) -> task<std::string> {
    co_await boost::asio::post(boost::asio::use_awaitable);
    co_return who.name + std::to_string(*id);
  });
  CHECK(b.inject(get("/who").header("X-User", "ada")).body() == "ada");
  CHECK(b.inject(get("/who")).code() == 401);
  CHECK(b.inject(get("/state")).body() == "service/state");
  CHECK(b.inject(get("/state-task")).body() == "service/state-task");
  CHECK(b.inject(get("/who/7").header("X-User", "ada")).body() == "ada7");
  CHECK(b.inject(get("/who/x")).code() == 401);
}
