#include "corbel/base/encoding.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace corbel;

TEST_CASE("the examples of RFC 4648, 10") {
  const std::pair<const char*, const char*> base64[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : base64) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
    std::string bare(text);
    bare.erase(std::min(bare.find('='), bare.size()));
    CHECK(to_base64url(bytes) == bare);
    CHECK(from_base64url(bare) == bytes);
  }
  CHECK(to_hex("foobar") == "666f6f626172");
  CHECK(from_hex("666F6f626172") == "foobar");
  CHECK(to_base64("\xfb\xff\xfe") == "+//+");
  CHECK(to_base64url("\xfb\xff\xfe") == "-__-");
}

TEST_CASE("one text for one value, and no other is read") {
  for (const std::string bad : {"Zg", "Zg=", "Zg===", "Z", "Zh==", "Zm9=", "====", "=", "Zm9v\n", " Zm9v",
                                "Zm9-", "Z=g=", "Zg==Zg==", "Zm9vYg=a"})
    CHECK_MESSAGE(!from_base64(bad), bad);
  for (const std::string bad : {"Z", "Zh", "Zm9vY", "Zg==", "Zm9+", "Zm9/", "Zm9v ", "Zm\0v"})
    CHECK_MESSAGE(!from_base64url(bad), bad);
  for (const std::string bad : {"0", "0g", "g0", "0x00", " 0", "00 "}) CHECK_MESSAGE(!from_hex(bad), bad);
}

TEST_CASE("random bytes come back, and random texts never make two of one value") {
  std::mt19937 random(20260301);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes(random() % 70, '\0');
    for (auto& c : bytes) c = static_cast<char>(random());
    REQUIRE(from_base64(to_base64(bytes)) == bytes);
    REQUIRE(from_base64url(to_base64url(bytes)) == bytes);
    REQUIRE(from_hex(to_hex(bytes)) == bytes);
    std::string text(random() % 9, '\0');
    for (auto& c : text) c = "ABCxyz019+/-_="[random() % 14];
    if (const auto read = from_base64(text)) REQUIRE(to_base64(*read) == text);
    if (const auto read = from_base64url(text)) REQUIRE(to_base64url(*read) == text);
  }
}
