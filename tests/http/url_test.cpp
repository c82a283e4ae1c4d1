#include "corbel/http/url.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "effort.hpp"

using namespace corbel;

namespace {

std::optional<std::string> decoded(std::string_view text) {
  std::string out = "before";
  if (!percent_decode(text, out)) return {};
  return out;
}

}  // namespace

TEST_CASE("percent-encoding is undone once") {
  CHECK(decoded("") == "");
  CHECK(decoded("a%20b") == "a b");
  CHECK(decoded("a+b") == "a+b");
  CHECK(decoded("%2F%2f") == "//");
  CHECK(decoded("%252F") == "%2F");
  CHECK(decoded("%C3%A4") == "\xc3\xa4");
  CHECK(decoded("%01") == "\x01");
  for (const auto* bad : {"%", "%2", "a%", "%zz", "%2z", "%z2", "%%20", "%00", "a%00b", "% 2", "%-1", "%+1"})
    CHECK_MESSAGE(!decoded(bad), bad);
  std::string form;
  CHECK(form_decode("a+b%2Bc", form));
  CHECK(form == "a b+c");
}

TEST_CASE("what is encoded decodes to itself, and holds nothing but unreserved characters") {
  std::mt19937 random(11);
  for (int round = 0, rounds = effort(20'000); round < rounds; ++round) {
    std::string text;
    for (auto n = random() % 20; n > 0; --n) text += static_cast<char>(1 + random() % 255);
    const auto encoded = percent_encode(text);
    REQUIRE(encoded.find_first_not_of(
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%") == encoded.npos);
    REQUIRE(decoded(encoded) == text);
  }
}

TEST_CASE("a query is pairs, in order") {
  const auto pairs = [](std::string_view query) -> std::string {
    const auto parsed = query_pairs::parse(query);
    if (!parsed) return "broken";
    std::string all;
    for (const auto& [name, value] : parsed->pairs()) all.append(name).append("->").append(value).append("|");
    return all;
  };
  CHECK(pairs("") == "");
  CHECK(pairs("a=1&b=2&a=3") == "a->1|b->2|a->3|");
  CHECK(pairs("a") == "a->|");
  CHECK(pairs("a=") == "a->|");
  CHECK(pairs("=1") == "->1|");
  CHECK(pairs("&&a=1&&") == "a->1|");
  CHECK(pairs("a=b=c") == "a->b=c|");
  CHECK(pairs("a+b=c+d%2Be") == "a b->c d+e|");
  CHECK(pairs("%61%3D=%26") == "a=->&|");
  CHECK(pairs("a=%") == "broken");
  CHECK(pairs("%zz=1") == "broken");
  CHECK(pairs("a=1&b=%00") == "broken");
}

TEST_CASE("pairs stay readable when they are moved") {
  auto parsed = query_pairs::parse("name=" + std::string(3, 'v') + "&b=2");
  const auto moved = std::move(*parsed);
  CHECK(moved.pairs()[0].first == "name");
  CHECK(moved.pairs()[0].second == "vvv");
}

TEST_CASE("random queries are read without harm") {
  std::mt19937 random(12);
  const std::string_view alphabet = "%0aF=&+ab\xff";
  for (int round = 0, rounds = effort(100'000); round < rounds; ++round) {
    std::string text;
    for (auto n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const auto parsed = query_pairs::parse(text);
    if (!parsed) continue;
    for (const auto& [name, value] : parsed->pairs()) {
      REQUIRE(name.find('\0') == name.npos);
      REQUIRE(value.find('\0') == value.npos);
    }
  }
}
