#include "corbel/routing/form.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "corbel/http/url.hpp"
#include "routing/bare.hpp"

namespace {

using namespace corbel;

struct signup {
  std::string name;
  std::optional<int> age;
  std::optional<std::string> note;
  std::vector<std::string> tags;
  bool news = false;
};
constexpr auto describe(tag<signup>) {
  using namespace corbel::rules;
  return object(field("name", &signup::name, text().trim().min(2)),
                field("age", &signup::age, number().min(18)), field("note", &signup::note),
                field("tag", &signup::tags, list_of(text().min(1)).max(3).defaulted()),
                field("news", &signup::news, defaulted()));
}
struct nested {
  signup inner;
};
constexpr auto describe(tag<nested>) {
  using namespace corbel::rules;
  return object(field("inner", &nested::inner));
}

const std::string form_type = "application/x-www-form-urlencoded";

struct service {
  app a{bare()};
  service() {
    a.post("/", [](form<signup> in) {
      std::string all =
          in->name + '|' + (in->age ? std::to_string(*in->age) : "-") + '|' + in->note.value_or("-") + '|';
      for (const auto& each : in->tags) all += each + ',';
      return all + '|' + (in->news ? "news" : "");
    });
  }
  std::string ask(const std::string& body, const std::string& type = form_type) {
    const auto out = a.inject(post("/").body(body, type));
    if (out.code() == 200) return out.body();
    const auto told = nlohmann::json::parse(out.body());
    std::string all = std::to_string(out.code()) + ' ' + told["code"].get<std::string>();
    for (const auto& each : told["details"].value("errors", nlohmann::json::array()))
      all += ' ' + each["in"].get<std::string>() + each["path"].get<std::string>() + ':' +
             each["rule"].get<std::string>();
    return all;
  }
};

}  // namespace

TEST_CASE("a form becomes a described value") {
  service s;
  CHECK(s.ask("name=Ada+Lovelace&age=36&tag=a&tag=b%26c&news=true") == "Ada Lovelace|36|-|a,b&c,|news");
  CHECK(s.ask("name=%20J%C3%BCrgen%20") == "J\xc3\xbcrgen|-|-||");
  CHECK(s.ask("&&name=Ada&&") == "Ada|-|-||");
  for (const std::string& type :
       {form_type + "; charset=UTF-8", std::string("Application/X-WWW-Form-Urlencoded"), form_type + ";"})
    CHECK_MESSAGE(s.ask("name=Ada", type) == "Ada|-|-||", type);
}

TEST_CASE("what browsers send for what nobody filled in") {
  service s;
  CHECK(s.ask("name=Ada&age=&note=&news=on") == "Ada|-|||news");
  CHECK(s.ask("name=Ada&news=") == "400 validation_failed body/news:type");
  CHECK(s.ask("name=&age=") == "400 validation_failed body/name:minLength");
}

TEST_CASE("every violation is listed, and says that it is in the body") {
  service s;
  CHECK(s.ask("name=A&age=7&tag=&other=1&news=maybe") ==
        "400 validation_failed body/name:minLength body/age:minimum body/tag/0:minLength "
        "body/other:additionalProperties body/news:type");
  CHECK(s.ask("name=Ada&name=Bob") == "400 validation_failed body/name:maxItems");
  CHECK(s.ask("tag=1&tag=2&tag=3&tag=4&name=Ada") == "400 validation_failed body/tag:maxItems");
  CHECK(s.ask("") == "400 validation_failed body/name:required");
}

TEST_CASE("other types, and what is no form, are refused") {
  service s;
  for (const std::string& type : {std::string("application/json"), std::string("text/plain"),
                                  std::string("multipart/form-data; boundary=x"),
                                  form_type + "; charset=latin1", form_type + "x", std::string("")})
    CHECK_MESSAGE(s.ask("name=Ada", type) == "415 unsupported_media_type", type);
  CHECK(s.a.inject(post("/")).code() == 400);
  using namespace std::string_literals;
  for (const auto& bad : {"name=%"s, "name=%4"s, "name=%zz"s, "name=%00"s, "name=a\0b"s, "name=%ff"s,
                          "name=\xc3("s, "name=%ED%A0%80"s, "%ff=a&name=Ada"s, "%00=a&name=Ada"s})
    CHECK_MESSAGE(s.ask(bad) == "400 malformed_form", bad);
  std::string many = "name=Ada";
  for (int i = 0; i < 999; ++i) many += "&x=1";
  CHECK(s.ask(many).substr(0, 21) == "400 validation_failed");
  CHECK(s.ask(many + "&x=1") == "413 too_many_fields");
  CHECK(s.ask(std::string(500'000, '&')) == "413 too_many_fields");
}

TEST_CASE("a form of nested values stops the start") {
  app a(bare());
  a.post("/", [](form<nested>) {});
  CHECK_THROWS_AS(a.inject(post("/")), wiring_error);
}

TEST_CASE("any text comes through a form as it went in, and noise is answered") {
  service s;
  std::mt19937 random(20260312);
  for (int i = 0; i < 300; ++i) {
    std::string name = "xx";
    for (auto n = random() % 20; n > 0; --n) name += static_cast<char>(33 + random() % 94);
    REQUIRE(s.ask("name=" + percent_encode(name)) == name + "|-|-||");
    std::string noise = "name=Ada&";
    for (auto n = random() % 30; n > 0; --n) noise += "name=%4tag&+age\xff\"12;,["[random() % 22];
    const auto out = s.ask(noise);
    REQUIRE((out.substr(0, 3) == "400" || out.substr(0, 3) == "Ada"));
  }
}
