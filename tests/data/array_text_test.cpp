#include "data/array_text.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "base/sanitized.hpp"
#include "corbel/base/error.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/data/codec.hpp"
#include "effort.hpp"

namespace data = corbel::data;
using data::array_elements;
using data::array_literal;

namespace {

template <class T>
T decoded(std::string_view text) {
  T out = T();
  data::decode(data::cell(text), corbel::type_of<T>(), &out, "tags");
  return out;
}

template <class T>
bool refused(std::string_view text) {
  CAPTURE(text);
  CHECK_THROWS_WITH_AS((void)decoded<T>(text), doctest::Contains("\"tags\""), corbel::failure);
  return true;
}

using texts = std::vector<std::string>;
using numbers = std::vector<int>;

struct point {
  int x = 0;
  std::optional<std::string> name;
  friend bool operator==(const point&, const point&) = default;
};
constexpr auto describe(corbel::tag<point>) {
  using namespace corbel::rules;
  return object(field("x", &point::x), field("name", &point::name));
}

}  // namespace

TEST_CASE("arrays are read as Postgres writes them") {
  CHECK(decoded<numbers>("{}").empty());
  CHECK(decoded<numbers>("{1,-2,3}") == numbers{1, -2, 3});
  CHECK(decoded<numbers>("[0:2]={1,2,3}") == numbers{1, 2, 3});
  CHECK(decoded<numbers>("[-1:-1]={7}") == numbers{7});
  CHECK(decoded<std::vector<numbers>>("[1:1][-2:0]={{1,2,3}}") == std::vector<numbers>{{1, 2, 3}});
  CHECK(decoded<std::vector<numbers>>("{{1,2},{3,4}}") == std::vector<numbers>{{1, 2}, {3, 4}});
  CHECK(decoded<texts>(R"({a,"a \"b\" \\ c","{x}","a,b",""," ","NULL","null",""})") ==
        texts{"a", "a \"b\" \\ c", "{x}", "a,b", "", " ", "NULL", "null", ""});
  CHECK(decoded<std::vector<double>>("{0.5,1e+300,-2}") == std::vector<double>{0.5, 1e300, -2});
  CHECK(decoded<std::vector<std::int64_t>>("{9223372036854775807,12.00}") ==
        std::vector<std::int64_t>{9223372036854775807, 12});
}

TEST_CASE("NULL is an element of optionals alone, and not the text") {
  using perhaps = std::vector<std::optional<std::string>>;
  CHECK(decoded<perhaps>(R"({a,NULL,"NULL",null})") == perhaps{"a", {}, "NULL", {}});
  CHECK(decoded<std::vector<std::optional<int>>>("{NULL,1}") == std::vector<std::optional<int>>{{}, 1});
  CHECK(refused<texts>("{a,NULL}"));
  CHECK(refused<numbers>("{NULL}"));
  using perhaps_lists = std::vector<std::optional<numbers>>;
  CHECK(decoded<perhaps_lists>("{{1},{2}}") == perhaps_lists{numbers{1}, numbers{2}});
}

TEST_CASE("elements are decoded by their type") {
  CHECK(decoded<std::vector<std::optional<bool>>>("{t,f,NULL}") ==
        std::vector<std::optional<bool>>{true, false, {}});
  CHECK(refused<std::vector<std::optional<bool>>>("{true}"));
  CHECK(refused<std::vector<std::optional<bool>>>("{1}"));
  const auto times =
      decoded<std::vector<corbel::timestamp>>(R"({"2026-01-02 03:04:05+00","2026-01-02T03:04:05.5Z"})");
  CHECK(corbel::to_text(times.at(1)) == "2026-01-02T03:04:05.500Z");
  CHECK(times[1] - times[0] == std::chrono::milliseconds{500});
  CHECK(decoded<std::vector<corbel::date>>("{2026-12-31}").front() == *corbel::parse_date("2026-12-31"));
  CHECK(decoded<std::vector<corbel::uuid>>("{0190a5b0-6c1e-7cc0-8000-0123456789ab}").size() == 1);
  const auto bytes = decoded<std::vector<data::blob>>(R"({"\\x00ff","\\x"})");
  CHECK(bytes == std::vector<data::blob>{{std::byte{0}, std::byte{255}}, {}});
  CHECK(refused<std::vector<data::blob>>(R"({"\\x0"})"));
  CHECK(refused<std::vector<data::blob>>("{AP8=}"));
  CHECK(decoded<std::vector<point>>(R"({"{\"x\": 1}","{\"x\": 2, \"name\": \"a\\\"b\"}"})") ==
        std::vector<point>{{1, {}}, {2, "a\"b"}});
}

TEST_CASE("JSON lists stay lists, a pgvector among them") {
  CHECK(decoded<numbers>(" [1, 2]") == numbers{1, 2});
  CHECK(decoded<std::vector<float>>("[1,2.5,-3e-05]") == std::vector<float>{1, 2.5f, -3e-05f});
  CHECK(decoded<std::vector<std::vector<float>>>(R"({"[1,2]","[3]"})") ==
        std::vector<std::vector<float>>{{1, 2}, {3}});
  CHECK(decoded<texts>(R"(["{a}"])") == texts{"{a}"});
}

TEST_CASE("malformed arrays are a misfit") {
  for (const char* text :
       {"",         "{",      "}",        "{1",       "{1,",      "{1,}",          "{,1}",
        "{,}",      "{1}}",   "{1}x",     "{{1}",     "{1,{2}}",  "{ 1}",          "{1 }",
        "{1}{2}",   "{\"1",   "{\"1\\",   "{\"1\"2}", "{\"1\"",   "{1\"2\"}",      "{1\\2}",
        "[0:2]",    "[0:2]=", "[0:2]={1", "[0]={1}",  "[0:]={1}", "[:2]={1}",      "[0:2={1}",
        "[0:2]{1}", "1,2",    "{1.5}",    "{a}",      "{\"\"}",   "{99999999999}", "{1}\n"})
    CHECK(refused<numbers>(text));
  CHECK(refused<std::vector<numbers>>("{1}"));
  CHECK(refused<std::vector<numbers>>("{{1},{2}"));
  CHECK(refused<std::vector<double>>("{NaN}"));
  CHECK(refused<numbers>(std::string(100'000, '{')));
}

TEST_CASE("JSON lists become array literals") {
  CHECK(array_literal("[]") == "{}");
  CHECK(array_literal(" [ 1 , -2.5e+300 , 18446744073709551615 ] ") == "{1,-2.5e+300,18446744073709551615}");
  CHECK(array_literal(R"(["a","","NULL","x,{y}","\"\\"])") == R"({"a","","NULL","x,{y}","\"\\"})");
  CHECK(array_literal("[true,false,null]") == "{t,f,NULL}");
  CHECK(array_literal("[[],[]]") == "{}");
  CHECK(array_literal("[[],[]]", array_elements::json) == R"({"[]","[]"})");
  CHECK(array_literal("[[1,2],[3,4]]") == "{{1,2},{3,4}}");
  CHECK(array_literal(R"([{"a":"b"},{}])") == R"({"{\"a\":\"b\"}","{}"})");
  CHECK(array_literal(R"(["\u00e9\n"])") == "{\"\xc3\xa9\n\"}");
  CHECK(array_literal(R"(["a",1,[2],{"b":null},null,true])", array_elements::json) ==
        R"({"\"a\"","1","[2]","{\"b\":null}",NULL,"true"})");
  CHECK(array_literal(R"(["AP8=","",null])", array_elements::bytes) == R"({"\\x00ff","\\x",NULL})");
}

TEST_CASE("what is no list makes no array literal") {
  for (const char* text : {"", "1", "null", "\"a\"", "{}", "{1,2}", "[1", "[1,]", "[1]x", "[01]", "[a]",
                           "[\"\\q\"]", "[tru]", "[[1]", "[{]"}) {
    CAPTURE(text);
    for (const auto of : {array_elements::plain, array_elements::json, array_elements::bytes}) {
      try {
        (void)array_literal(text, of);
        FAIL("was taken");
      } catch (const corbel::failure& f) {
        CHECK(f.error().kind() == corbel::error_kind::internal);
      }
    }
  }
  CHECK_THROWS_AS((void)array_literal("[1]", array_elements::bytes), corbel::failure);
  CHECK_THROWS_AS((void)array_literal(R"(["x"])", array_elements::bytes), corbel::failure);
  CHECK_THROWS_AS((void)array_literal(std::string(100'000, '[')), corbel::failure);
  try {
    (void)array_literal(R"(["a\u0000b"])");
    FAIL("was taken");
  } catch (const corbel::failure& f) {
    CHECK(f.error().kind() == corbel::error_kind::malformed);
  }
}

TEST_CASE("random lists come back as they went in") {
  std::mt19937_64 random(9);
  const std::vector<std::string> pieces{"\"",
                                        "\\",
                                        "{",
                                        "}",
                                        ",",
                                        "NULL",
                                        "null",
                                        "'",
                                        " ",
                                        "\n",
                                        "\t",
                                        "[0:1]=",
                                        "a",
                                        "\x7f",
                                        "\x01",
                                        "\xc3\xa9",
                                        "\xf0\x9f\x98\x80"};
  const auto text = [&] {
    std::string out;
    for (auto n = random() % 6; n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::optional<std::string>> some(random() % 5);
    for (auto& each : some)
      if (random() % 4 != 0) each = text();
    REQUIRE(decoded<decltype(some)>(array_literal(corbel::json::to_text(some))) == some);

    std::vector<texts> nested(1 + random() % 3, texts(1 + random() % 3));
    for (auto& row : nested)
      for (auto& each : row) each = text();
    REQUIRE(decoded<std::vector<texts>>(array_literal(corbel::json::to_text(nested))) == nested);

    std::vector<point> points(random() % 4);
    for (auto& each : points) each = {static_cast<int>(random() % 100), text()};
    REQUIRE(decoded<std::vector<point>>(array_literal(corbel::json::to_text(points))) == points);
    REQUIRE(decoded<std::vector<point>>(array_literal(corbel::json::to_text(points), array_elements::json)) ==
            points);

    std::vector<data::blob> blobs(random() % 4, data::blob(random() % 5));
    for (auto& each : blobs)
      for (auto& b : each) b = static_cast<std::byte>(random());
    REQUIRE(decoded<std::vector<data::blob>>(
                array_literal(corbel::json::to_text(blobs), array_elements::bytes)) == blobs);

    std::vector<double> reals(random() % 5);
    for (auto& each : reals) each = static_cast<double>(random()) / static_cast<double>(1 + random() % 1000);
    REQUIRE(decoded<std::vector<double>>(array_literal(corbel::json::to_text(reals))) == reals);
  }
}

TEST_CASE("mangled arrays are refused or read, never worse") {
  std::mt19937_64 random(10);
  const std::string_view letters = "{}{},,\"\\NULL12 [:]=-ab";
  for (int i = 0, rounds = effort(corbel::detail::sanitized ? 20'000 : 100'000); i < rounds; ++i) {
    std::string text = random() % 2 ? "{" : "";
    for (auto n = random() % 16; n > 0; --n) text += letters[random() % letters.size()];
    try {
      (void)decoded<std::vector<std::optional<std::vector<std::optional<std::string>>>>>(text);
    } catch (const corbel::failure&) {
    }
    try {
      (void)decoded<std::vector<std::optional<std::string>>>(text);
    } catch (const corbel::failure&) {
    }
  }
}
