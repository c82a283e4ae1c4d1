#include <doctest/doctest.h>

#include <cstddef>
#include <random>

#include "corbel/base/json/decode.hpp"
#include "corbel/base/json/writer.hpp"
#include "corbel/base/text_value.hpp"

namespace {

using bytes = std::vector<std::byte>;

struct attachment {
  std::string name;
  bytes content;
  std::optional<bytes> preview;
  std::vector<bytes> parts;
};
constexpr auto describe(corbel::tag<attachment>) {
  using namespace corbel::rules;
  using a = attachment;
  return object(field("name", &a::name), field("content", &a::content), field("preview", &a::preview),
                field("parts", &a::parts, list_of().max(3).defaulted()));
}

bytes of(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

}  // namespace

TEST_CASE("JSON carries bytes as base64") {
  const attachment made{"a", of("hello"), bytes{}, {of(std::string_view("\0\xff", 2)), {}}};
  const auto text = corbel::json::to_text(made);
  CHECK(text == R"({"name":"a","content":"aGVsbG8=","preview":"","parts":["AP8=",""]})");
  const auto back = corbel::json::parse<attachment>(text);
  REQUIRE(back);
  CHECK(back->content == made.content);
  CHECK(back->preview == made.preview);
  CHECK(back->parts == made.parts);
}

TEST_CASE("bytes are read strictly") {
  for (const char* text : {R"("aGVsbG8")", R"("aGVsbG9=")", R"("aGVs bG8=")", R"("aGVsbG8=\n")", R"("====")",
                           R"("a")", R"("_-8=")"}) {
    const auto read = corbel::json::parse<bytes>(text);
    CAPTURE(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().violations().front().rule == "format");
    CHECK(read.error().violations().front().message == "must be bytes as base64 such as aGVsbG8=");
  }
  for (const char* text : {"[1,2]", "7", "null"}) {
    const auto read = corbel::json::parse<bytes>(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().violations().front().rule == "type");
  }
}

TEST_CASE("a merge patch replaces bytes as a whole") {
  attachment held{"a", of("hello"), of("x"), {}};
  REQUIRE(corbel::json::decode(corbel::type_of<attachment>(), &held, R"({"content":"AA==","preview":null})",
                               {.mode = corbel::json::decode_mode::merge}));
  CHECK(held.content == of(std::string_view("\0", 1)));
  CHECK_FALSE(held.preview);
  CHECK(held.name == "a");
}

TEST_CASE("bytes are a scalar, base64 wherever there is only text") {
  CHECK(corbel::is_scalar(corbel::type_of<bytes>()));
  bytes out = of("before");
  CHECK(corbel::read_text(corbel::type_of<bytes>(), "aGVsbG8", &out));
  CHECK(out == of("before"));
  CHECK_FALSE(corbel::read_text(corbel::type_of<bytes>(), "aGVsbG8=", &out));
  CHECK(out == of("hello"));
  std::string text;
  corbel::append_text(text, corbel::type_of<bytes>(), &out);
  CHECK(text == "aGVsbG8=");
}

TEST_CASE("random bytes survive JSON") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    bytes made(random() % 40);
    for (auto& each : made) each = static_cast<std::byte>(random());
    REQUIRE(corbel::json::parse<bytes>(corbel::json::to_text(made)).value() == made);
  }
}
