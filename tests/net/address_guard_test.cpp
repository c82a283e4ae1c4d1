#include "net/address_guard.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <vector>

using namespace corbel;
using net::address_guard;
using net::guard_rules;

namespace {

bool open(const address_guard& guard, const char* text) {
  return guard.objection(boost::asio::ip::make_address(text)) == nullptr;
}

constexpr const char* public_ones[] = {
    "8.8.8.8",           "1.1.1.1",         "100.63.255.255",  "100.128.0.0", "172.15.0.1",
    "172.32.0.1",        "192.167.255.255", "192.169.0.0",     "169.253.0.1", "223.255.255.255",
    "11.0.0.0",          "9.255.255.255",   "126.255.255.255", "128.0.0.0",   "2606:4700::1111",
    "2a00:1450:4001::1", "64:ff9b::808:808"};
constexpr const char* private_ones[] = {
    "127.0.0.1",      "127.255.255.254", "10.0.0.1",        "10.255.255.255",  "172.16.0.1",
    "172.31.255.255", "192.168.0.1",     "100.64.0.1",      "100.127.255.255", "::1",
    "fc00::1",        "fd12:3456::1",    "64:ff9b::7f00:1", "64:ff9b::a00:1"};
constexpr const char* never[] = {"0.0.0.0",
                                 "0.1.2.3",
                                 "169.254.169.254",
                                 "169.254.0.1",
                                 "192.0.0.8",
                                 "192.0.2.1",
                                 "192.88.99.1",
                                 "198.18.0.1",
                                 "198.19.255.255",
                                 "198.51.100.1",
                                 "203.0.113.1",
                                 "224.0.0.1",
                                 "239.255.255.255",
                                 "240.0.0.1",
                                 "255.255.255.255",
                                 "::",
                                 "::ffff:127.0.0.1",
                                 "::ffff:8.8.8.8",
                                 "::ffff:169.254.169.254",
                                 "::127.0.0.1",
                                 "::8.8.8.8",
                                 "2002:7f00:1::",
                                 "2002:808:808::1",
                                 "2001::1",
                                 "2001:0:a9fe:a9fe::",
                                 "2001:db8::1",
                                 "fe80::1",
                                 "febf::1",
                                 "fec0::1",
                                 "ff02::1",
                                 "64:ff9b::a9fe:a9fe",
                                 "64:ff9b:1::1",
                                 "100::1",
                                 "4000::1",
                                 "3fff::1"};

}  // namespace

TEST_CASE("by default public addresses alone are open") {
  const address_guard guard{guard_rules()};
  for (const auto* each : public_ones) CHECK_MESSAGE(open(guard, each), each);
  for (const auto* each : private_ones) CHECK_MESSAGE(!open(guard, each), each);
  for (const auto* each : never) CHECK_MESSAGE(!open(guard, each), each);
}

TEST_CASE("allow_private opens one's own networks, and no more") {
  guard_rules rules;
  rules.allow_private = true;
  const address_guard guard(rules);
  for (const auto* each : public_ones) CHECK_MESSAGE(open(guard, each), each);
  for (const auto* each : private_ones) CHECK_MESSAGE(open(guard, each), each);
  for (const auto* each : never) CHECK_MESSAGE(!open(guard, each), each);
}

TEST_CASE("networks and hosts are opened by name") {
  guard_rules rules;
  rules.allow_networks = {"10.1.0.0/16", "fd00:1::/32", "169.254.169.254", "192.168.3.0/25"};
  rules.allow_hosts = {"users.internal", ".svc.cluster.local", "LOCALHOST", "::1"};
  const address_guard guard(rules);
  CHECK(open(guard, "10.1.255.255"));
  CHECK_FALSE(open(guard, "10.2.0.0"));
  CHECK(open(guard, "fd00:1:ffff::1"));
  CHECK_FALSE(open(guard, "fd00:2::1"));
  CHECK(open(guard, "169.254.169.254"));
  CHECK_FALSE(open(guard, "169.254.169.253"));
  CHECK(open(guard, "192.168.3.127"));
  CHECK_FALSE(open(guard, "192.168.3.128"));
  CHECK_FALSE(open(guard, "::ffff:10.1.0.1"));
  CHECK(guard.names("users.internal"));
  CHECK(guard.names("localhost"));
  CHECK(guard.names("::1"));
  CHECK_FALSE(guard.names("evil-users.internal"));
  CHECK_FALSE(guard.names("users.internal.evil.example"));
  CHECK(guard.names("a.b.svc.cluster.local"));
  CHECK_FALSE(guard.names("svc.cluster.local"));
  CHECK_FALSE(guard.names(".svc.cluster.local"));
  CHECK_FALSE(guard.names("evilsvc.cluster.local"));
}

TEST_CASE("rules that cannot be meant do not pass") {
  for (const std::string each : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10/8",
                                 "internal", "::/129", "10.0.0.0/+8", "10.0.0.0 /8"}) {
    guard_rules rules;
    rules.allow_networks = {each};
    CHECK_THROWS_AS_MESSAGE(address_guard{rules}, std::invalid_argument, each);
  }
  for (const std::string each : {"", ".", "*", "*.internal", "a/b", "host:80", "a b"}) {
    guard_rules rules;
    rules.allow_hosts = {each};
    CHECK_THROWS_AS_MESSAGE(address_guard{rules}, std::invalid_argument, each);
  }
}

TEST_CASE(
    "a host is called at those of its addresses that are open, and a refusal says how to open the others") {
  guard_rules rules;
  rules.allow_hosts = {"named.example"};
  rules.settings = "some_settings";
  rules.advice = ", or do without";
  const address_guard guard(rules);
  using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  const auto at = [](const char* address) {
    return boost::asio::ip::tcp::endpoint(boost::asio::ip::make_address(address), 80);
  };
  const endpoints both{at("10.0.0.1"), at("8.8.8.8")};
  CHECK(*guard.admit("host.example", "host.example:80", both) == endpoints{at("8.8.8.8")});
  CHECK(*guard.admit("named.example", "named.example:80", both) == both);
  const auto refused = guard.admit("host.example", "host.example:80", endpoints{at("10.0.0.1"), at("::1")});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == "address_refused");
  CHECK(refused.error().cause() ==
        "calls to host.example:80 are refused: 10.0.0.1 is a private address; ::1 is a loopback address; if "
        "it is "
        "a service of your own, name it in some_settings::allow_hosts, name its network in allow_networks, "
        "or do "
        "without");
  CHECK(guard.admit("none.example", "none.example:80", endpoints()).error().code() == "address_refused");
}
