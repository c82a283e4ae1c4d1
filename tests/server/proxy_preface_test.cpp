#include "server/proxy_preface.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "effort.hpp"

using corbel::preface_outcome;
using corbel::proxy_preface;

namespace {

struct reading {
  preface_outcome outcome;
  std::size_t size = 0;
  proxy_preface told;

  std::string source() const { return told.source ? told.source->to_string() : "none"; }
};

reading read(std::string_view bytes) {
  reading made{};
  made.outcome = corbel::read_proxy_preface(bytes, made.size, made.told);
  return made;
}

std::string version_2(char command, char family, const std::string& rest) {
  std::string text("\r\n\r\n\0\r\nQUIT\n", 12);
  text += static_cast<char>(0x20 | command);
  text += family;
  text += static_cast<char>(rest.size() >> 8);
  text += static_cast<char>(rest.size());
  return text + rest;
}

std::string field(char type, const std::string& value) {
  std::string text(1, type);
  text += static_cast<char>(value.size() >> 8);
  text += static_cast<char>(value.size());
  return text + value;
}

const std::string four("\xc0\x00\x02\x01\x0a\x00\x00\x01\x12\x34\x01\xbb", 12);

std::string six() {
  std::string source("\x20\x01\x0d\xb8", 4);
  source += std::string(11, '\0') + '\x07';
  return source + source + std::string("\x12\x34\x01\xbb", 4);
}

const std::string good[] = {
    "PROXY TCP4 192.0.2.1 10.0.0.1 4660 443\r\n",
    "PROXY TCP6 2001:db8::7 2001:db8::1 4660 443\r\n",
    "PROXY UNKNOWN\r\n",
    "PROXY UNKNOWN ffff::1 whatever 1 2 3\r\n",
    version_2(1, 0x11, four),
    version_2(1, 0x21, six()),
    version_2(1, 0x11, four + field(0x01, "h2") + field(0x04, "") + field('\xea', std::string(300, 'x'))),
    version_2(0, 0x00, ""),
    version_2(0, 0x11, four),
    version_2(1, 0x00, ""),
    version_2(1, 0x31, std::string(216, 'u')),
};

}  // namespace

TEST_CASE("version 1 and 2 tell the client's address") {
  for (const int i : {0, 4, 6}) {
    const auto r = read(good[i]);
    CHECK(r.outcome == preface_outcome::complete);
    CHECK(r.source() == "192.0.2.1");
    CHECK(r.told.source_port == 4660);
    CHECK_FALSE(r.told.tls);
  }
  for (const int i : {1, 5}) {
    CHECK(read(good[i]).source() == "2001:db8::7");
    CHECK(read(good[i]).told.source_port == 4660);
  }
  for (const int i : {2, 3, 7, 8, 9, 10}) {
    CAPTURE(i);
    CHECK(read(good[i]).outcome == preface_outcome::complete);
    CHECK(read(good[i]).source() == "none");
  }
}

TEST_CASE("every split works, and not a byte behind the preface is taken") {
  for (const auto& each : good) {
    for (std::size_t n = 0; n < each.size(); ++n) {
      const auto r = read(std::string_view(each).substr(0, n));
      CHECK(r.outcome == preface_outcome::incomplete);
      CHECK(r.size == n);
    }
    for (const std::string_view behind : {"", "\n", "\r\n", "GET / HTTP/1.1\r\n", "\x16\x03\x01"}) {
      const auto r = read(each + std::string(behind));
      CHECK(r.outcome == preface_outcome::complete);
      CHECK(r.size == each.size());
    }
  }
}

TEST_CASE("a TLS field tells how the client came, and a checksum must be right") {
  const auto tls = [](char client) { return field(0x20, std::string(1, client) + std::string(4, '\0')); };
  CHECK(read(version_2(1, 0x11, four + tls(1))).told.tls);
  CHECK(read(version_2(1, 0x11, four + tls(7))).told.tls);
  CHECK_FALSE(read(version_2(1, 0x11, four + tls(0))).told.tls);
  CHECK(read(version_2(1, 0x11, four + field(0x20, "\x01"))).outcome == preface_outcome::refused);

  // By the reference polynomial, one bit at a time.
  auto text = version_2(1, 0x11, four + field(0x03, std::string(4, '\0')));
  std::uint32_t crc = ~0u;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
  }
  crc = ~crc;
  for (std::size_t i = 0; i < 4; ++i) text[text.size() - 4 + i] = static_cast<char>(crc >> (24 - 8 * i));
  CHECK(read(text).outcome == preface_outcome::complete);
  CHECK(read(text).source() == "192.0.2.1");
  for (std::size_t i = 16; i < text.size(); ++i) {
    if (i >= 28 && i < 31) continue;  // the field's own head: another type is no checksum
    auto broken = text;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    CHECK(read(broken).outcome == preface_outcome::refused);
  }
}

TEST_CASE("what is malformed is refused, as soon as that is certain") {
  for (const std::string_view text : {"G",
                                      "\x16",
                                      "PROXX",
                                      "PROXY\r\n",
                                      "PROXY \r\n",
                                      "PROXY TCP4\r\n",
                                      "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
                                      "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n",
                                      "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
                                      "PROXY TCP4 ::1 ::1 1 2\r\n",
                                      "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
                                      "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r \r\n",
                                      "PROXY UNKNOWNX\r\n",
                                      "proxy tcp4 1.2.3.4 1.2.3.4 1 2\r\n"})
    CHECK_MESSAGE(read(text).outcome == preface_outcome::refused, text);
  CHECK(read("PROXY UNKNOWN " + std::string(92, 'x')).outcome == preface_outcome::incomplete);
  CHECK(read("PROXY UNKNOWN " + std::string(93, 'x')).outcome == preface_outcome::refused);
  CHECK(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n").outcome == preface_outcome::complete);
  CHECK(read("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n").outcome == preface_outcome::refused);

  for (const auto& text :
       {version_2(2, 0x11, four), version_2(1, 0x41, four), version_2(1, 0x13, four),
        version_2(1, 0x11, four.substr(1)), version_2(1, 0x21, four),
        version_2(1, 0x31, std::string(215, 'u')), version_2(1, 0x11, four + "x"),
        version_2(1, 0x11, four + std::string("\x04\x00\x02x", 4)),
        version_2(1, 0x11, four + std::string(4085, '\0')), version_2(1, 0x11, four + field(0x03, "12345"))})
    CHECK(read(text).outcome == preface_outcome::refused);
  auto other_version = version_2(1, 0x11, four);
  other_version[12] = 0x11;
  CHECK(read(other_version.substr(0, 13)).outcome == preface_outcome::refused);
  CHECK(read(std::string_view("\r\n\r\n\0\r\nQUIX", 11)).outcome == preface_outcome::refused);
  // Too long is known from its head.
  CHECK(read(version_2(1, 0x11, std::string(5000, 'x')).substr(0, 16)).outcome == preface_outcome::refused);
}

TEST_CASE("random prefaces are read safely") {
  std::mt19937 random(20'265);
  CAPTURE("seed 20265");
  for (int round = 0, rounds = effort(20'000); round < rounds; ++round) {
    std::string text = good[random() % std::size(good)];
    for (auto n = random() % 4; n > 0; --n) {
      if (text.empty()) break;
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, random() % 8); break;
        default: text.insert(at, 1, static_cast<char>(random())); break;
      }
    }
    const auto r = read(text);
    CHECK(r.size <= text.size());
  }
}
