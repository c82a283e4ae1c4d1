#include "corbel/base/json/writer.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <unordered_map>

#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/dom.hpp"

namespace json = corbel::json;

namespace {

enum class level : std::int8_t { low = -1, high = 1 };
constexpr auto describe(corbel::tag<level>) {
  using namespace corbel::rules;
  return enumeration(value("low", level::low), value("high \"x\"", level::high));
}

/// A scalar of the user's own.
struct grams {
  int n = 0;
  friend bool operator==(const grams&, const grams&) = default;
};
std::string to_text(const grams& g) {
  return std::to_string(g.n) + "\"g\"";
}
std::optional<grams> from_text(corbel::tag<grams>, std::string_view text) {
  if (!text.ends_with("\"g\"")) return {};
  grams g;
  bool negative = false;
  for (const char c : text.substr(0, text.size() - 3)) {
    if (c == '-')
      negative = true;
    else
      g.n = g.n * 10 + (c - '0');
  }
  if (negative) g.n = -g.n;
  return g;
}

struct left {
  std::string a;
  friend bool operator==(const left&, const left&) = default;
};
constexpr auto describe(corbel::tag<left>) {
  using namespace corbel::rules;
  return object(field("a", &left::a));
}
struct right {
  friend bool operator==(const right&, const right&) = default;
};
constexpr auto describe(corbel::tag<right>) {
  return corbel::rules::object();
}
using side = std::variant<left, right>;
constexpr auto describe(corbel::tag<side>) {
  using namespace corbel::rules;
  return one_of("side", alternative<left>("left"), alternative<right>("right"));
}

struct all {
  bool b = false;
  std::int8_t i8 = 0;
  std::uint16_t u16 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f = 0;
  double d = 0;
  std::string s;
  corbel::timestamp t{};
  corbel::date day{std::chrono::year{2000} / 1 / 1};
  corbel::uuid id;
  level e = level::low;
  grams g;
  std::optional<std::string> o;
  std::vector<std::optional<double>> l;
  std::map<std::string, std::vector<all>> m;
  side v;
  friend bool operator==(const all&, const all&) = default;
};
constexpr auto describe(corbel::tag<all>) {
  using namespace corbel::rules;
  return object(field("b", &all::b), field("i8", &all::i8), field("u16", &all::u16), field("i64", &all::i64),
                field("u64", &all::u64), field("f", &all::f), field("d", &all::d), field("s", &all::s),
                field("t", &all::t), field("day", &all::day), field("id", &all::id), field("e", &all::e),
                field("g", &all::g), field("o", &all::o), field("l", &all::l), field("m", &all::m),
                field("v", &all::v));
}

class maker {
 public:
  explicit maker(std::uint64_t seed) : random_(seed) {}

  all make(int depth = 0) {
    all a;
    a.b = below(2);
    a.i8 = static_cast<std::int8_t>(random_());
    a.u16 = static_cast<std::uint16_t>(random_());
    a.i64 = static_cast<std::int64_t>(random_() >> below(64));
    if (below(2)) a.i64 = ~a.i64;
    a.u64 = random_() >> below(64);
    a.d = finite();
    a.f = static_cast<float>(static_cast<double>(static_cast<std::int32_t>(random_())) / 1024);
    a.s = text();
    a.t = corbel::timestamp{
        std::chrono::milliseconds{static_cast<std::int64_t>(random_() % 253'402'300'800'000)}};
    a.day = corbel::date{
        std::chrono::sys_days{std::chrono::days{static_cast<int>(random_() % 2'900'000) - 700'000}}};
    for (auto& byte : a.id.bytes) byte = static_cast<std::uint8_t>(random_());
    a.e = below(2) ? level::low : level::high;
    a.g.n = static_cast<int>(random_() % 1000) - 500;
    if (below(2)) a.o = text();
    for (std::size_t n = below(4); n > 0; --n)
      a.l.push_back(below(3) ? std::optional<double>(finite()) : std::nullopt);
    if (below(2))
      a.v = left{text()};
    else
      a.v = right{};
    if (depth < 2)
      for (std::size_t n = below(3); n > 0; --n) a.m[text()].push_back(make(depth + 1));
    return a;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  double finite() {
    for (;;) {
      const auto d = std::bit_cast<double>(random_());
      if (std::isfinite(d)) return d;
    }
  }
  std::string text() {
    static const char* const pieces[] = {"a",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\x7f",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "/",
                                         "plain run of text",
                                         "\xef\xbf\xbf"};
    std::string out;
    for (std::size_t n = below(6); n > 0; --n) out += pieces[below(std::size(pieces))];
    if (below(8) == 0) out.push_back('\0');
    return out;
  }
  std::mt19937_64 random_;
};

std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("random values survive being written and read") {
  maker random(42);
  for (int i = 0; i < 5'000; ++i) {
    const all value = random.make();
    const std::string text = json::to_text(value);
    CAPTURE(text);
    const auto read = json::parse<all>(text);
    REQUIRE(read);
    REQUIRE(*read == value);
    REQUIRE(nlohmann::json::accept(text));
  }
}

TEST_CASE("members keep their order, and empty optionals are left out") {
  all value;
  value.l = {1.5, {}};
  value.s = "x";
  CHECK(json::to_text(value) ==
        R"({"b":false,"i8":0,"u16":0,"i64":0,"u64":0,"f":0,"d":0,"s":"x","t":"1970-01-01T00:00:00.000Z",)"
        R"("day":"2000-01-01","id":"00000000-0000-0000-0000-000000000000","e":"low","g":"0\"g\"",)"
        R"("l":[1.5,null],"m":{},"v":{"side":"left","a":""}})");
  CHECK(json::to_text(std::optional<int>{}) == "null");
  CHECK(json::to_text(std::unordered_map<std::string, int>{{"a\"", 1}}) == R"({"a\"":1})");
  CHECK(json::to_text(std::vector<int>{}) == "[]");
}

TEST_CASE("what JSON has no form for is null") {
  CHECK(json::to_text(std::numeric_limits<double>::infinity()) == "null");
  CHECK(json::to_text(std::numeric_limits<float>::quiet_NaN()) == "null");
  CHECK(json::to_text(static_cast<level>(9)) == "null");
}

TEST_CASE("numbers are the shortest text that reads back") {
  CHECK(json::to_text(0.1) == "0.1");
  CHECK(json::to_text(0.1f) == "0.1");
  CHECK(json::to_text(1e300) == "1e+300");
  CHECK(json::to_text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(json::to_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("text is escaped, and never leaves as invalid UTF-8") {
  CHECK(in_quotes("") == "\"\"");
  CHECK(in_quotes("a\"\\/\b\f\n\r\t\x01\x1f\x7f") == "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  CHECK(in_quotes("\xc3\xa9\xf0\x9f\x98\x80") == "\"\xc3\xa9\xf0\x9f\x98\x80\"");
  CHECK(in_quotes("a\xff"
                  "b") ==
        "\"a\xef\xbf\xbd"
        "b\"");
  CHECK(in_quotes("\xe2\x82") == "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  CHECK(in_quotes("\xed\xa0\x80") == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random());
    REQUIRE(nlohmann::json::accept(in_quotes(text)));
  }
}

TEST_CASE("a DOM goes in and out by the same reader and writer") {
  nlohmann::json dom;
  const std::string text =
      R"({"a":[1,-2,18446744073709551615,1.5,3.0,1e3,true,null],"b":{},"c":[],"d":"\u0001x"})";
  REQUIRE(json::parse_dom(text, dom));
  CHECK(dom == nlohmann::json::parse(text));
  std::string out;
  json::append_dom(out, dom);
  CHECK(nlohmann::json::parse(out) == dom);
  out.clear();
  json::append_dom(out, nlohmann::json{{"bad\xff", "\xff"}, {"nan", std::nan("")}});
  CHECK(out == "{\"bad\xef\xbf\xbd\":\"\xef\xbf\xbd\",\"nan\":null}");
}
