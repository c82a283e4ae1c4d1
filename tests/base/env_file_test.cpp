#include "corbel/base/env_file.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::settings::parse_env_file;

namespace {

std::string value_of(std::string_view text) {
  const auto file = parse_env_file(text, ".env");
  REQUIRE(file.problems.empty());
  REQUIRE(file.variables.size() == 1);
  CHECK(file.variables[0].name == "NAME");
  return file.variables[0].value;
}

}  // namespace

TEST_CASE("values are plain, taken literally, or with escapes") {
  CHECK(value_of("NAME=value") == "value");
  CHECK(value_of("  NAME = two words  \n") == "two words");
  CHECK(value_of("export NAME=value\r\n") == "value");
  CHECK(value_of("\xef\xbb\xbfNAME=value") == "value");
  CHECK(value_of("NAME=") == "");
  CHECK(value_of("NAME=#all comment") == "");
  CHECK(value_of("NAME=a#b # c") == "a#b");
  CHECK(value_of("NAME=a=b") == "a=b");
  CHECK(value_of("NAME=$HOME") == "$HOME");
  CHECK(value_of("NAME='a \\n $b \"c\" # d' # e") == "a \\n $b \"c\" # d");
  CHECK(value_of("NAME=\"a\\n\\t\\r\\\\\\\"\\$b # c\"") == "a\n\t\r\\\"$b # c");
  CHECK(value_of("NAME=\"first\nsecond\"\n") == "first\nsecond");
  CHECK(value_of("# comment\n\n  # another\nNAME=x\n") == "x");
}

TEST_CASE("variables know their line") {
  const auto file = parse_env_file("A='1\n2'\n\nB=3", "conf/.env");
  REQUIRE(file.variables.size() == 2);
  CHECK(file.variables[0].origin == "conf/.env, line 1");
  CHECK(file.variables[1].origin == "conf/.env, line 4");
}

TEST_CASE("each broken line is told, and the others count") {
  const auto file = parse_env_file(
      "A=1\nnonsense\n2B=3\nC='x' y\nD=\"\\q\"\nA=2\nexport E\nF=ok\nG=\"never\nclosed", ".env");
  REQUIRE(file.variables.size() == 2);
  CHECK(file.variables[0].value == "1");
  CHECK(file.variables[1].name == "F");
  REQUIRE(file.problems.size() == 8);
  CHECK(file.problems[0].starts_with(".env, line 2: this is no assignment"));
  CHECK(file.problems[1].starts_with(".env, line 3: this is no assignment"));
  CHECK(file.problems[2].starts_with(".env, line 4: there is text behind the closing quote"));
  CHECK(file.problems[3].starts_with(".env, line 5: a \\ is followed by"));
  CHECK(file.problems[4] == ".env, line 6: A is set a second time; keep one of the two.");
  CHECK(file.problems[5].starts_with(".env, line 7: this is no assignment"));
  CHECK(file.problems[6] == ".env, line 9: the quote \" is never closed.");
  CHECK(file.problems[7].starts_with(".env, line 10: this is no assignment"));
  CHECK(parse_env_file("A='x\nB=1", ".env").problems.at(0) == ".env, line 1: the quote ' is never closed.");
}

TEST_CASE("a missing file is empty, an unreadable one a problem") {
  CHECK(corbel::settings::read_env_file("/nowhere/.env").problems.empty());
  const auto folder = corbel::settings::read_env_file("/tmp");
  REQUIRE(folder.problems.size() == 1);
  CHECK(folder.problems[0].starts_with("/tmp cannot be read: "));
}

TEST_CASE("random text ends, with no more variables than it has lines") {
  std::mt19937 random(11);
  constexpr std::string_view alphabet = "AB=='\"\\#\n\n\r \tn$\0x";
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 40, ' ');
    for (auto& c : text) c = alphabet[random() % alphabet.size()];
    const auto file = parse_env_file(text, ".env");
    std::size_t lines = 1;
    for (const char c : text) lines += c == '\n';
    CAPTURE(text);
    REQUIRE(file.variables.size() + file.problems.size() <= lines);
    for (const auto& v : file.variables) REQUIRE(!v.name.empty());
  }
}
