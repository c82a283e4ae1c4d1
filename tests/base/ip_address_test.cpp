#include "corbel/base/ip_address.hpp"

#include <doctest/doctest.h>

#include <random>

using corbel::ip_address;
using corbel::ip_network;

TEST_CASE("addresses are read and written in their canonical form") {
  for (const auto& [text, canonical] : {std::pair{"192.0.2.1", "192.0.2.1"},
                                        {"0.0.0.0", "0.0.0.0"},
                                        {"255.255.255.255", "255.255.255.255"},
                                        {"::", "::"},
                                        {"::1", "::1"},
                                        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
                                        {"::ffff:192.0.2.1", "192.0.2.1"},
                                        {"::ffff:c000:201", "192.0.2.1"}}) {
    CAPTURE(text);
    const auto read = ip_address::parse(text);
    REQUIRE(read);
    CHECK(read->to_string() == canonical);
    CHECK(ip_address::parse(canonical) == read);
  }
  CHECK(ip_address(0x7f000001).to_string() == "127.0.0.1");
  CHECK(ip_address().to_string() == "0.0.0.0");
  CHECK(ip_address::parse("::ffff:192.0.2.1")->is_v4());
  CHECK_FALSE(ip_address::parse("::192.0.2.1")->is_v4());
}

TEST_CASE("what is no address is none") {
  for (const std::string_view text :
       {"",          " ",        "1.2.3",    "1.2.3.4.5",  "1.2.3.256",       "01.2.3.4",
        "1.2.3.4 ",  " 1.2.3.4", "0x7f.1",   "1.2.3.4:80", "[::1]",           ":",
        ":::",       "1::2::3",  "::1%eth0", "::g",        "12345::",         "1:2:3:4:5:6:7:8:9",
        "localhost", "unknown",  "_hidden",  "1.2.3.4/32", "::ffff:1.2.3.256"})
    CHECK_MESSAGE(!ip_address::parse(text), text);
  CHECK_FALSE(ip_address::parse(std::string_view("1.2.3.4\0", 8)));
  CHECK_FALSE(ip_address::parse(std::string(1000, '1')));
}

TEST_CASE("a network contains what shares its first bits") {
  const auto holds = [](std::string_view network, std::string_view address) {
    CAPTURE(network);
    CAPTURE(address);
    const auto n = ip_network::parse(network);
    const auto a = ip_address::parse(address);
    REQUIRE(n);
    REQUIRE(a);
    return n->contains(*a);
  };
  CHECK(holds("10.0.0.0/8", "10.255.255.255"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(holds("172.16.0.0/12", "172.31.255.255"));
  CHECK_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  CHECK(holds("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(holds("192.0.2.7", "192.0.2.6"));
  CHECK(holds("192.0.2.6/31", "192.0.2.7"));
  CHECK(holds("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  CHECK(holds("::/0", "2001:db8::1"));
  CHECK_FALSE(holds("::/0", "203.0.113.9"));
  CHECK(holds("fd00::/8", "fdff::1"));
  CHECK_FALSE(holds("fd00::/8", "fe00::1"));
  CHECK(holds("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(holds("::ffff:10.0.0.0/104", "10.9.9.9"));
  CHECK(ip_network::parse("10.0.0.0/8")->to_string() == "10.0.0.0/8");
  CHECK(ip_network::parse("2001:db8::/32")->to_string() == "2001:db8::/32");
  CHECK(ip_network::parse("192.0.2.7")->to_string() == "192.0.2.7/32");
}

TEST_CASE("what is no network is none") {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8 ", "10.0.0.0/8/8", "10.1.2.3/8", "fd00::1/64", "10/8", "example.org/8",
        "10.0.0.0/999999999999"})
    CHECK_MESSAGE(!ip_network::parse(text), text);
}

TEST_CASE("random texts are read safely") {
  std::mt19937 random(20'261);
  CAPTURE("seed 20261");
  constexpr std::string_view letters = "0123456789abcdefABCDEF:./%[]x \0";
  for (int round = 0; round < 50'000; ++round) {
    std::string text(random() % 48, ' ');
    for (auto& c : text) c = letters[random() % letters.size()];
    if (const auto read = ip_address::parse(text)) CHECK(ip_address::parse(read->to_string()) == read);
    if (const auto read = ip_network::parse(text)) CHECK(ip_network::parse(read->to_string()) == read);
  }
}
