#include <doctest/doctest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "corbel/base/uuid.hpp"
#include "routing/bare.hpp"

namespace {

using namespace corbel;

struct thing {
  int id = 7;
  std::string name = "x\"y";
};
constexpr auto describe(tag<thing>) {
  using namespace corbel::rules;
  return object(field("id", &thing::id), field("name", &thing::name));
}
struct text_id {
  std::string id;
};
constexpr auto describe(tag<text_id>) {
  using namespace corbel::rules;
  return object(field("id", &text_id::id));
}
struct no_id {
  int number = 1;
};
constexpr auto describe(tag<no_id>) {
  using namespace corbel::rules;
  return object(field("number", &no_id::number));
}
struct picture {
  std::string bytes;
};

task<void> soon() {
  co_await boost::asio::post(boost::asio::use_awaitable);
}

}  // namespace

template <>
struct corbel::reply<picture> {
  static void write(const corbel::request&, corbel::response& out, picture&& value) {
    out.body(value.bytes, "image/png");
  }
};

namespace {

struct expected {
  std::string path;
  int code;
  std::string type;
  std::string body;
};

const std::string thing_json = R"({"id":7,"name":"x\"y"})";

}  // namespace

TEST_CASE("each kind of result becomes its response") {
  app a(bare());
  a.get("/void", [] {});
  a.get("/none", [] { return no_content{}; });
  a.get("/text", [] { return std::string("plain"); });
  a.get("/thing", [] { return thing{}; });
  a.get("/list", [] { return std::vector<thing>{{}, {}}; });
  a.get("/map", [] { return std::map<std::string, int>{{"a", 1}}; });
  a.get("/number", [] { return 42; });
  a.get("/bool", [] { return true; });
  a.get("/json", [] { return nlohmann::json{{"k", nullptr}}; });
  a.get("/status", [] { return json_with(status::accepted, thing{}); });
  a.get("/response", [] { return text_response("r", status::gone); });
  a.get("/error", [] { return error(conflict("taken", "taken")); });
  a.get("/picture", [] { return picture{"png"}; });
  a.get("/result/good", []() -> result<thing> { return thing{}; });
  a.get("/result/bad", []() -> result<thing> { return not_found("no thing", "no_thing"); });
  a.get("/result/void", []() -> result<void> { return {}; });
  a.get("/result/none", []() -> result<no_content> { return no_content{}; });
  a.get("/task/void", []() -> task<void> { co_await soon(); });
  a.get("/task/thing", []() -> task<thing> {
    co_await soon();
    co_return thing{};
  });
  a.get("/task/result", []() -> task<result<thing>> {
    co_await soon();
    co_return not_found("no thing", "no_thing");
  });
  a.get("/task/result/void", []() -> task<result<void>> {
    co_await soon();
    co_return result<void>{};
  });
  a.get("/task/response", []() -> task<response> {
    co_await soon();
    co_return text_response("r");
  });
  a.get("/task/picture", []() -> task<picture> {
    co_await soon();
    co_return picture{"png"};
  });
  a.get("/result/text/bad", []() -> result<std::string> { return forbidden("no"); });

  const std::string json = "application/json", text = "text/plain; charset=utf-8";
  for (const auto& each :
       std::vector<expected>{{"/void", 204, "", ""},
                             {"/none", 204, "", ""},
                             {"/text", 200, text, "plain"},
                             {"/thing", 200, json, thing_json},
                             {"/list", 200, json, '[' + thing_json + ',' + thing_json + ']'},
                             {"/map", 200, json, R"({"a":1})"},
                             {"/number", 200, json, "42"},
                             {"/bool", 200, json, "true"},
                             {"/json", 200, json, R"({"k":null})"},
                             {"/status", 202, json, thing_json},
                             {"/response", 410, text, "r"},
                             {"/error", 409, json, "taken"},
                             {"/picture", 200, "image/png", "png"},
                             {"/result/good", 200, json, thing_json},
                             {"/result/bad", 404, json, "no_thing"},
                             {"/result/void", 204, "", ""},
                             {"/result/none", 204, "", ""},
                             {"/task/void", 204, "", ""},
                             {"/task/thing", 200, json, thing_json},
                             {"/task/result", 404, json, "no_thing"},
                             {"/task/result/void", 204, "", ""},
                             {"/task/response", 200, text, "r"},
                             {"/task/picture", 200, "image/png", "png"},
                             {"/result/text/bad", 403, json, "forbidden"}}) {
    CAPTURE(each.path);
    const auto out = a.inject(get(each.path));
    CHECK(out.code() == each.code);
    CHECK(out.header("Content-Type").value_or("") == each.type);
    if (each.code < 400 || each.type == text)
      CHECK(out.body() == each.body);
    else
      CHECK(out.body().find("\"code\":\"" + each.body + '"') != std::string::npos);
  }
}

TEST_CASE("what was created is found at its Location") {
  app a(bare());
  a.post("/things", [] { return created(thing{}); });
  a.post("/slash/", [] { return created(thing{}); });
  a.post("/text/:id", [](path<std::string> id) { return created(text_id{*id}); });
  a.post("/none", [] { return created(no_id{}); });
  a.post("/at", [] { return created(thing{}).at("/elsewhere/7"); });
  a.post("/result", []() -> result<created<thing>> { return created(thing{}); });
  a.post("/task", []() -> task<created<thing>> {
    co_await soon();
    co_return created(thing{});
  });
  a.post("/evil", [](const request& in) { return created(thing{}).at("/x" + std::string(in.body())); });
  const auto location = [&](const std::string& path) {
    const auto out = a.inject(post(path));
    CHECK(out.code() == 201);
    return std::string(out.header("Location").value_or("none"));
  };
  CHECK(location("/things") == "/things/7");
  CHECK(location("/things?x=y") == "/things/7");
  CHECK(location("/slash/") == "/slash/7");
  CHECK(location("/text/a%0D%0Ab%2F") == "/text/a%0D%0Ab%2F/a%0D%0Ab%2F");
  CHECK(location("/none") == "none");
  CHECK(location("/at") == "/elsewhere/7");
  CHECK(location("/result") == "/result/7");
  CHECK(location("/task") == "/task/7");
  const auto evil = a.inject(post("/evil").body("\r\nSet-Cookie: a=b", "text/plain"));
  CHECK(evil.code() == 500);
  CHECK(evil.header_text().find("Set-Cookie") == std::string::npos);
}
