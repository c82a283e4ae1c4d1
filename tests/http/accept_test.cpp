#include "corbel/http/accept.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "corbel/http/media_type.hpp"
#include "effort.hpp"
#include "http/bare_request.hpp"

using namespace corbel;

TEST_CASE("media types are read, and their parameters") {
  const auto type = parse_media_type("Text/HTML ; a=1;Charset=\"UTF-8\"; b=\"x;charset=latin1\";; c");
  REQUIRE(type);
  CHECK(type->is("text/html"));
  CHECK(type->parameter("charset") == "UTF-8");
  CHECK(type->parameter("B") == "x;charset=latin1");
  CHECK_FALSE(type->parameter("c"));
  CHECK(type->is_utf8());
  CHECK_FALSE(parse_media_type("text/plain; charset=latin1")->is_utf8());
  CHECK(parse_media_type("text/plain; charset=UTF8")->is_utf8());
  for (const std::string bad :
       {"", "text", "/", "text/", "/plain", "te xt/plain", "text/pl ain", "text/a/b", ";a=b"})
    CHECK_MESSAGE(!parse_media_type(bad), bad);
  CHECK(is_json("application/json"));
  CHECK(is_json("APPLICATION/vnd.api+JSON;charset=utf-8"));
  CHECK(is_json("application/json; charset=utf8"));
  for (const std::string bad :
       {"application/json; charset=utf-16", "application/jsonx", "text/json", "application/+jsonx"})
    CHECK_MESSAGE(!is_json(bad), bad);
}

// The table of RFC 9110, 12.5.1, and what follows from its rules.
TEST_CASE("the most specific range decides") {
  const std::string field =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
  const std::pair<const char*, int> table[] = {
      {"text/plain;format=flowed", 1000}, {"text/plain", 700},       {"text/html", 300}, {"image/jpeg", 500},
      {"text/plain;format=fixed", 400},   {"text/html;level=3", 300}};
  for (const auto& [type, quality] : table)
    CHECK_MESSAGE(preference_for(field, type).quality == quality, type);
}

TEST_CASE("the best type is the client's, and among equals ours") {
  const auto best = [](std::optional<std::string_view> accept) {
    return std::string(best_type(accept, {"application/json", "text/csv"}));
  };
  CHECK(best({}) == "application/json");
  CHECK(best("") == "application/json");
  CHECK(best("*/*") == "application/json");
  CHECK(best("text/csv") == "text/csv");
  CHECK(best("TEXT/Csv") == "text/csv");
  CHECK(best("text/*, application/json;q=0.9") == "text/csv");
  CHECK(best("text/csv, application/json") == "application/json");
  CHECK(best("application/json;q=0, */*") == "text/csv");
  CHECK(best("application/json;q=0, */*;q=0") == "");
  CHECK(best("image/png") == "");
  CHECK(best("text/csv;header=present") == "");
  CHECK(best("text/csv;charset=utf-8") == "text/csv");
  CHECK(best("text/csv;charset=latin1") == "");
  CHECK(best("image/png;a=\"x, text/csv\"") == "");
  CHECK(best("text/csv;q=0.001, application/json;q=0.0") == "text/csv");
  // Members that cannot be read are passed over; when none can be read there is nothing to go by.
  for (const auto* bad :
       {"text/csv;q=1.5", "text/csv;q=abc", "text/csv;q=", "text/csv;q=.", "text/csv;q=00.5",
        "text/csv;q=1.001", "text/csv;q=1.0001", "text/csv;q=0.5x", "text/csv;q=-1", "text/csv;q=\"1\"",
        "*/csv", "csv", "text/csv;a", "text/csv;a=\"", "text/csv;=b", "/", ",,,"}) {
    CAPTURE(bad);
    CHECK(best(bad) == "application/json");
    CHECK(best(std::string(bad) + ", image/png") ==
          (std::string_view(bad).find("a=\"") != std::string_view::npos ? "application/json" : ""));
  }
  CHECK(best("text/csv; q=1 ;ext=1") == "text/csv");
  CHECK(best_type("a/b", {}) == "");
}

TEST_CASE("what common clients send beside RFC 9110 is read") {
  const auto best = [](std::string_view accept) {
    return std::string(best_type(accept, {"application/json", "text/csv"}));
  };
  CHECK(best("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2") == "application/json");
  CHECK(best("text/csv, *;q=.2") == "text/csv");
  CHECK(best("image/png, *") == "application/json");
  CHECK(best("*;q=0") == "");
  CHECK(best("text/csv;q=.8, application/json;q=.75") == "text/csv");
  CHECK(best("text/csv;q=0.80000, application/json;q=0.79") == "text/csv");
  CHECK(best("text/csv;q=1.00000, application/json;q=0.999") == "text/csv");
  CHECK(best("text/csv;q=0.00001, application/json;q=0.00000") == "text/csv");
  CHECK(best("text/csv; q = 0.5, application/json; q= 0.4") == "text/csv");
  CHECK(best("text/csv;q=1., application/json;q=0.") == "text/csv");
  CHECK(preferred_encoding("br;q=.5, gzip;q=.75", {"br", "gzip"}) == "gzip");
  CHECK(preferred_encoding("gzip;q=1.00000, br;q=0.90000", {"br", "gzip"}) == "gzip");
  CHECK(preferred_language("de;q=.5, en;q=0.44444", {"en", "de"}) == "de");
}

TEST_CASE("several fields are one list") {
  bare_request r("GET",
                 {{"Accept", "text/html;q=0.2"}, {"accept", "text/csv;q=0.4"}, {"Accept", "*/*;q=0.1"}});
  CHECK(best_type(r.in, {"application/json", "text/html", "text/csv"}) == "text/csv");
  CHECK(best_type(bare_request().in, {"a/b"}) == "a/b");
}

TEST_CASE("content codings") {
  const auto best = [](std::optional<std::string_view> accept) {
    return std::string(preferred_encoding(accept, {"br", "gzip"}));
  };
  CHECK(best({}) == "identity");
  CHECK(best("") == "identity");
  CHECK(best("gzip, deflate, br") == "br");
  CHECK(best("gzip") == "gzip");
  CHECK(best("x-gzip") == "gzip");
  CHECK(best("GZIP") == "gzip");
  CHECK(best("br;q=0.5, gzip;q=0.8") == "gzip");
  CHECK(best("*") == "br");
  CHECK(best("br;q=0, *") == "gzip");
  CHECK(best("br;q=0, gzip;q=0") == "identity");
  CHECK(best("*;q=0") == "");
  CHECK(best("*;q=0, identity") == "identity");
  CHECK(best("identity;q=0") == "");
  CHECK(best("identity;q=0, gzip;q=0.1") == "gzip");
  CHECK(best("gzip;q=0.5, identity") == "identity");
  CHECK(best("gzip, identity") == "gzip");
  CHECK(best("gzip;q=0.5, *;q=1") == "br");
  CHECK(best("zstd") == "identity");
  CHECK(best("gzip;q=2") == "identity");
  CHECK(best("gz ip, br;q=x") == "identity");
}

TEST_CASE("languages") {
  const auto best = [](std::optional<std::string_view> accept) {
    return std::string(preferred_language(accept, {"en", "de", "pt-BR"}));
  };
  CHECK(best({}) == "en");
  CHECK(best("") == "en");
  CHECK(best("de") == "de");
  CHECK(best("DE-ch, en;q=0.5") == "de");
  CHECK(best("pt") == "pt-BR");
  CHECK(best("pt-PT, de;q=0.1") == "de");
  CHECK(best("fr, *;q=0.5") == "en");
  CHECK(best("en;q=0, *") == "de");
  CHECK(best("en-US, de") == "de");  // what is offered as it was asked for goes before what is near to it
  CHECK(best("en-US, de;q=0.9") == "en");
  CHECK(best("fr") == "en");
  CHECK(best("e, d") == "en");
  CHECK(best("de;q=x, toolonglanguage, pt-") == "en");
  CHECK(best("d_e, de--at, -de") == "en");
}

TEST_CASE("Vary names every field once") {
  response out;
  vary(out, "Accept");
  vary(out, "accept");
  CHECK(out.header("Vary") == "Accept");
  vary(out, "Accept-Encoding");
  CHECK(out.header("Vary") == "Accept, Accept-Encoding");
  out.add("Vary", "Origin");
  vary(out, "origin");
  vary(out, "Cookie");
  CHECK(out.header("Vary") == "Accept, Accept-Encoding, Origin, Cookie");
  CHECK(out.header_text().find("Vary", 6) == std::string::npos);
  vary(out, "*");
  CHECK(out.header("Vary") == "*");
  vary(out, "Accept");
  CHECK(out.header("Vary") == "*");
}

TEST_CASE("no text of Accept does harm, and a long one costs little") {
  std::mt19937 random(20260307);
  const std::string_view pieces[] = {
      "text/csv",         "*/*", ";", ",",    "q=",   "0.5", "\"", "\\", " ", "=",
      "application/json", "en",  "-", "gzip", "\x80", "1"};
  for (int i = 0, rounds = effort(20'000); i < rounds; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += pieces[random() % 16];
    const auto type = best_type(text, {"application/json", "text/csv"});
    REQUIRE((type.empty() || type == "application/json" || type == "text/csv"));
    REQUIRE_FALSE(preferred_language(text, {"en", "de"}).empty());
    (void)preferred_encoding(text, {"br", "gzip"});
  }
  std::string many;
  for (int i = 0; i < 99; ++i) many += "a/b,";
  CHECK(best_type(many + "text/csv", {"text/csv"}) == "text/csv");
  CHECK(best_type(many + "a/b,text/csv", {"text/csv"}) == "");
}
