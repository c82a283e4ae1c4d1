#include "corbel/base/json/reader.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "corbel/base/json/dom.hpp"

namespace json = corbel::json;

namespace {

/// The offset at which the text proves malformed; -1 when it is JSON.
long broken_at(std::string_view text, std::size_t depth = 64) {
  json::reader in(text, {.depth = depth});
  if (in.skip() && in.finish()) return -1;
  const auto error = in.malformed();
  CHECK(error.kind() == corbel::error_kind::malformed);
  CHECK(error.details().at(0).second == std::to_string(in.error_offset()));
  CHECK(error.message().find("at byte " + std::to_string(in.error_offset()) + " ") != std::string::npos);
  return static_cast<long>(in.error_offset());
}

json::number number(std::string_view text) {
  json::reader in(text);
  json::number out;
  const bool read = in.number(out) && in.finish();
  CAPTURE(text);
  REQUIRE(read);
  return out;
}

std::string text_of(std::string_view quoted) {
  json::reader in(quoted);
  std::string_view out;
  const bool read = in.string(out) && in.finish();
  CAPTURE(quoted);
  REQUIRE(read);
  return std::string(out);
}

std::string nested(std::size_t depth, const std::string& open = "[", const std::string& close = "]") {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

}  // namespace

TEST_CASE("what is JSON is read") {
  for (const char* text :
       {"null", " true\n", "\tfalse\r", "0", "-0", "1.5e-10", "\"\"", "[]", "{}", "[ 1 , [ ] , { } ]",
        R"({"a":{"b":[1,2,{"c":null}]},"d":"\u00e9\"\\\/\b\f\n\r\t"})", "\"\x7f\"", R"(["\ud83d\ude00"])",
        "\"\xf4\x8f\xbf\xbf\"", R"({"":1,"a":1,"A":1})"}) {
    CAPTURE(text);
    CHECK(broken_at(text) == -1);
  }
}

TEST_CASE("malformed text is told by the byte it breaks at") {
  struct sample {
    std::string_view text;
    long at;
  };
  using namespace std::string_view_literals;
  for (const auto& [text, at] : std::initializer_list<sample>{{"", 0},
                                                              {"  ", 2},
                                                              {"\xef\xbb\xbf{}", 0},
                                                              {"nul", 3},
                                                              {"nulL", 3},
                                                              {"tru", 3},
                                                              {"truE", 3},
                                                              {"True", 0},
                                                              {"nullx", 4},
                                                              {"1 2", 2},
                                                              {"{}}", 2},
                                                              {"[1,]", 3},
                                                              {"[,1]", 1},
                                                              {"[1 2]", 3},
                                                              {"[1", 2},
                                                              {"{", 1},
                                                              {"{,", 1},
                                                              {"{\"a\"}", 4},
                                                              {"{\"a\":}", 5},
                                                              {"{\"a\":1,}", 7},
                                                              {"{\"a\":1 \"b\"", 7},
                                                              {"{a:1}", 1},
                                                              {"{\"a\":1", 6},
                                                              {"[1}", 2},
                                                              {"{\"a\":1]", 6},
                                                              {"\"abc", 4},
                                                              {"\"a\nb\"", 2},
                                                              {"\"a\0b\""sv, 2},
                                                              {"\"a\\x\"", 3},
                                                              {"\"a\\", 3},
                                                              {"\"\\u12g4\"", 5},
                                                              {"\"\\u12", 5},
                                                              {"\"x\\udc00\"", 2},
                                                              {"\"x\\ud800\"", 2},
                                                              {"\"x\\ud800y\"", 2},
                                                              {"\"x\\ud800\\n\"", 2},
                                                              {"\"x\\ud800\\u0041\"", 2},
                                                              {"\"x\\ud800\\ud800\"", 2},
                                                              {"\"x\\ud800", 8},
                                                              {"\"x\\ud800\\", 9},
                                                              {"\"x\\ud800\\u", 10},
                                                              {"\"\x80\"", 1},
                                                              {"\"\xc0\xaf\"", 1},
                                                              {"\"\xc3\"", 1},
                                                              {"\"ab\xe2\x82\"", 3},
                                                              {"\"\xed\xa0\x80\"", 1},
                                                              {"\"\xe0\x80\x80\"", 1},
                                                              {"\"\xf0\x80\x80\x80\"", 1},
                                                              {"\"\xf4\x90\x80\x80\"", 1},
                                                              {"\"\xff\"", 1},
                                                              {"\"\\n\xff\"", 3},
                                                              {"\xc3\xa4", 0},
                                                              {"-", 1},
                                                              {"+1", 0},
                                                              {".5", 0},
                                                              {"1.", 2},
                                                              {"1.e5", 2},
                                                              {"1e", 2},
                                                              {"1e+", 3},
                                                              {"1e5.5", 3},
                                                              {"01", 1},
                                                              {"-01", 2},
                                                              {"00", 1},
                                                              {"0x1", 1},
                                                              {"1a", 1},
                                                              {"NaN", 0},
                                                              {"Infinity", 0},
                                                              {"-Infinity", 1},
                                                              {" 1e400", 1},
                                                              {"[0,-1e400]", 3},
                                                              {"//x", 0},
                                                              {"'a'", 0},
                                                              {"{\"a\":1,\"a\":2}", 7},
                                                              {"{\"a\":1,\"\\u0061\":2}", 7},
                                                              {"{\"\\u0061\":1,\"b\":2,\"a\":3}", 18},
                                                              {"{\"x\":{\"a\":1,\"b\":1,\"a\":1}}", 18},
                                                              {"\v1", 0}}) {
    CAPTURE(text);
    CHECK(broken_at(text) == at);
  }
}

TEST_CASE("numbers are exact, and a whole number is an integer however it is written") {
  for (const char* text : {"3", "3.0", "30e-1", "0.3e1", "300E-2", "3.000e+0"}) {
    const auto n = number(text);
    CAPTURE(text);
    CHECK(n.integral);
    CHECK_FALSE(n.huge);
    CHECK(n.magnitude == 3);
    CHECK(n.value == 3.0);
  }
  CHECK(number("18446744073709551615").magnitude == 18446744073709551615u);
  CHECK_FALSE(number("18446744073709551615").huge);
  CHECK(number("18446744073709551616").huge);
  CHECK(number("18446744073709551616").value == 18446744073709551616.0);
  CHECK(number("9007199254740993.0").magnitude == 9007199254740993u);
  CHECK(number("9007199254740993e3").magnitude == 9007199254740993000u);
  CHECK(number("1e19").magnitude == 10000000000000000000u);
  CHECK(number("1e20").huge);
  CHECK(number("100000000000000000000000e-21").magnitude == 100);
  CHECK_FALSE(number("1.0000000000000000000000001").integral);
  CHECK_FALSE(number("-1e-5").integral);
  CHECK(number("-0").negative);
  CHECK(std::signbit(number("-0").value));
  CHECK(std::signbit(number("-0.0e5").value));
  CHECK(number("0e999999999999999999999").value == 0);
  CHECK(number("0.00e-999999999999999999999").integral);
  CHECK(number("1e-400").value == 0);
  CHECK(number("-1e-400").value == 0);
  CHECK(number("5e-324").value == 5e-324);
  CHECK(number("1.7976931348623157e308").value == 1.7976931348623157e308);
  CHECK(number("0.1").value == 0.1);
  CHECK(number("123456789012345678901234567890").value == 123456789012345678901234567890.0);
  // 10^300, written out with a fraction in front of it.
  CHECK(number("0." + std::string(100, '0') + "1e401").value == 1e300);
}

TEST_CASE("numbers of absurd length or size are refused or read, quickly") {
  const std::string digits(100'000, '9');
  CHECK(broken_at(digits) == 0);
  CHECK(broken_at("[" + digits + "]") == 1);
  CHECK(number("0." + digits).value == 1.0);
  CHECK_FALSE(number("0." + digits).integral);
  CHECK(broken_at("1e" + digits) == 0);
  CHECK(broken_at("1e-" + digits) == -1);
  CHECK(broken_at("1" + std::string(400, '0')) == 0);
  CHECK(number("1" + std::string(400, '0') + "e-400").magnitude == 1);
  CHECK(broken_at("-1e309") == 0);
}

TEST_CASE("strings come unescaped") {
  CHECK(text_of(R"("plain text, longer than eight")") == "plain text, longer than eight");
  CHECK(text_of(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(text_of(R"("\u0041\u00E9\u20ac\uD83D\uDE00\u0000")") ==
        std::string("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0", 11));
  // A special byte at every place of a run of eight.
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, 'x');
    CHECK(text_of("\"" + text.substr(0, at) + "\\n" + text.substr(at) + "\"") ==
          text.substr(0, at) + "\n" + text.substr(at));
    CHECK(text_of("\"" + text.substr(0, at) + "\"") == text.substr(0, at));
    text[at] = '\x1f';
    CHECK(broken_at("\"" + text + "\"") == static_cast<long>(at + 1));
    text[at] = '\x80';
    CHECK(broken_at("\"" + text + "\"") == static_cast<long>(at + 1));
  }
}

TEST_CASE("nesting is limited, and told at the bracket too many") {
  CHECK(broken_at(nested(64)) == -1);
  CHECK(broken_at(nested(65)) == 64);
  CHECK(broken_at(nested(3), 2) == 2);
  CHECK(broken_at(nested(10'000)) == 64);
  CHECK(broken_at(nested(10'000, "{\"a\":", "}")) == 64 * 5);
  CHECK(broken_at(nested(100'000), 100'000'000) == 1000);
  nlohmann::json dom;
  CHECK_FALSE(json::parse_dom(nested(10'000), dom));
  CHECK(json::parse_dom("[[1],[[2]]]", dom, {.depth = 3}));
}

TEST_CASE("every truncation of a text is malformed, at its end") {
  const std::string text =
      R"({"name":"Ap\u00f6llo \ud83d\ude00","n":[1,-2.5e+3,true,false,null,{}],"o":{"p":[],"q":"\n"}})";
  REQUIRE(broken_at(text) == -1);
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK(broken_at(std::string_view(text).substr(0, size)) == static_cast<long>(size));
  }
}

TEST_CASE("many keys are compared in little time") {
  std::string text = "{\"k0\":0";
  for (int i = 1; i < 100'000; ++i) text += ",\"k" + std::to_string(i) + "\":0";
  CHECK(broken_at(text + "}") == -1);
  const auto size = static_cast<long>(text.size());
  CHECK(broken_at(text + ",\"k77\":0}") == size + 1);
}

namespace {

/// Texts near JSON: random pieces of it, or a valid text with random changes.
std::string near_json(std::mt19937_64& random) {
  const auto below = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  static const char* const pieces[] = {
      "{",     "}",    "[",       "]",       ",",    ":",    "\"",   "\"a\"",     "\"b\"",
      "1",     "-",    "0",       ".5",      "e3",   "true", "null", "false",     " ",
      "\\u00", "\\ud", "\\ud83d", "\\ude00", "\xc3", "\xa9", "\\n",  "1e400",     "\n",
      "-0.0",  "{}",   "[1,2]",   "\"\":",   "\\",   "/",    "x",    "{\"a\":1,", "E-"};
  std::string text;
  if (below(2) == 0) {
    for (std::size_t n = below(12); n > 0; --n) text += pieces[below(std::size(pieces))];
    return text;
  }
  text = R"({"a":[1,2.50,-3e-2],"b":{"c":"x\u00e9y\ud83d\ude00","d":null},"e":true,"f":"äöü","g":[]})";
  for (std::size_t n = 1 + below(3); n > 0; --n) {
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0: text.erase(at, 1 + below(3)); break;
      case 1: text.insert(at, pieces[below(std::size(pieces))]); break;
      case 2: text[at] = static_cast<char>(1 + below(255)); break;
      default: text.resize(at); break;
    }
    if (text.empty()) return text;
  }
  return text;
}

}  // namespace

TEST_CASE("an independent reader gives the same verdict on random texts") {
  std::mt19937_64 random(20260102);
  int good = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string text = near_json(random);
    json::reader in(text, {.depth = 1000});
    const bool ours = in.skip() && in.finish();
    const bool theirs = nlohmann::json::accept(text);
    const bool duplicate = !ours && in.malformed().message().find("does not have yet") != std::string::npos;
    CAPTURE(text);
    if (!duplicate) REQUIRE(ours == theirs);
    good += ours;
    if (ours) {
      nlohmann::json dom;
      REQUIRE(json::parse_dom(text, dom));
      REQUIRE(dom == nlohmann::json::parse(text));
      continue;
    }
    // What stands before the byte blamed is the beginning of some JSON text.
    const std::size_t at = in.error_offset();
    REQUIRE(at <= text.size());
    json::reader prefix(std::string_view(text).substr(0, at), {.depth = 1000});
    const bool whole = prefix.skip() && prefix.finish();
    if (!whole) REQUIRE(prefix.error_offset() == at);
  }
  CHECK(good > 5'000);
}

TEST_CASE("random bytes are read without harm") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    json::reader in(text);
    if (in.skip() && in.finish()) continue;
    REQUIRE(in.error_offset() <= text.size());
  }
}
