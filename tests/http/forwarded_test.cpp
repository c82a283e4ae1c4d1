#include <doctest/doctest.h>

#include <random>

#include "corbel/http/request.hpp"
#include "effort.hpp"
#include "http/connection_facts.hpp"
#include "http/request_access.hpp"

namespace {

using corbel::ip_address;
using corbel::ip_network;
using corbel::request;
using field_list = std::vector<std::pair<std::string, std::string>>;

corbel::proxy_trust trusting(std::initializer_list<std::string_view> networks) {
  corbel::proxy_trust made;
  for (const auto each : networks) made.networks.push_back(ip_network::parse(each).value());
  return made;
}

/// A request from 10.0.0.1, a trusted proxy.
struct passed_on {
  explicit passed_on(field_list f, corbel::proxy_trust trust = trusting({"10.0.0.0/8", "fd00::/8"}))
      : fields(std::move(f)) {
    auto facts = std::make_shared<corbel::connection_facts>();
    facts->peer = ip_address::parse("10.0.0.1");
    facts->proxies = std::make_shared<const corbel::proxy_trust>(std::move(trust));
    corbel::request_access access(in);
    access.start_line("GET", "/", 11);
    access.peer("10.0.0.1");
    access.add_header("Host", "inner.example");
    for (const auto& [name, value] : fields) access.add_header(name, value);
    access.facts(facts);
  }

  field_list fields;
  request in;
};

std::string client_by(field_list fields) {
  return std::string(passed_on(std::move(fields)).in.client());
}
std::string client_by(std::string_view name, std::string_view value) {
  return client_by({{std::string(name), std::string(value)}});
}

}  // namespace

TEST_CASE("without a trusted proxy nobody's word counts") {
  request in;
  corbel::request_access access(in);
  access.start_line("GET", "/", 11);
  access.peer("203.0.113.9");
  access.add_header("Host", "shop.example:8080");
  access.add_header("X-Forwarded-For", "192.0.2.1");
  access.add_header("X-Forwarded-Proto", "https");
  access.add_header("X-Forwarded-Host", "evil.example");
  access.add_header("Forwarded", "for=192.0.2.1;proto=https;host=evil.example");
  CHECK(in.client() == "203.0.113.9");
  CHECK(in.scheme() == "http");
  CHECK(in.host() == "shop.example:8080");
  CHECK(in.tls() == nullptr);
}

TEST_CASE("a trusted proxy that tells nothing is the client") {
  const passed_on request({});
  CHECK(request.in.client() == "10.0.0.1");
  CHECK(request.in.scheme() == "http");
  CHECK(request.in.host() == "inner.example");
}

TEST_CASE("X-Forwarded-For is walked from the right to the first hop that is not trusted") {
  const auto by = [](std::string_view value) { return client_by("X-Forwarded-For", value); };
  CHECK(by("192.0.2.1") == "192.0.2.1");
  CHECK(by("198.51.100.66, 192.0.2.1") == "192.0.2.1");
  CHECK(by("198.51.100.66, 192.0.2.1, 10.0.0.2,10.0.0.3") == "192.0.2.1");
  CHECK(by("10.0.0.5, 10.0.0.4") == "10.0.0.5");
  CHECK(by("192.0.2.1:4711") == "192.0.2.1");
  CHECK(by("2001:DB8::1") == "2001:db8::1");
  CHECK(by("[2001:db8::1]") == "2001:db8::1");
  CHECK(by("[2001:db8::1]:443, fd00::7") == "2001:db8::1");
  CHECK(by("::ffff:192.0.2.1, ::ffff:10.0.0.9") == "192.0.2.1");
  CHECK(by(", 192.0.2.1, ,") == "192.0.2.1");
  CHECK(client_by({{"X-Forwarded-For", "198.51.100.66"}, {"x-forwarded-for", "192.0.2.1, 10.0.0.2"}}) ==
        "192.0.2.1");
}

TEST_CASE("what is no address ends the walk, and never turns into a trusted one") {
  for (const std::string_view junk :
       {"unknown", "localhost", "1.2.3", "1.2.3.4.5", "[::1", "::1]", "[10.0.0.7]", "fe80::1%eth0",
        "10.0.0.7 x", "\"10.0.0.7\"", "10.0.0.7:80:80", "'", "_", "_a b"}) {
    CAPTURE(junk);
    CHECK(client_by("X-Forwarded-For", junk) == "unknown");
    CHECK(client_by("X-Forwarded-For", "192.0.2.1, " + std::string(junk) + ", 10.0.0.2") == "unknown");
  }
  CHECK(client_by("X-Forwarded-For", "192.0.2.1, _hidden, 10.0.0.2") == "_hidden");
}

TEST_CASE("scheme, host and port are those of the hop that the client talked to") {
  const auto seen = [](field_list fields) {
    const passed_on request(std::move(fields));
    return std::string(request.in.scheme()) + " " + std::string(request.in.host());
  };
  const std::string one = "X-Forwarded-For", proto = "X-Forwarded-Proto", host = "X-Forwarded-Host",
                    port = "X-Forwarded-Port";
  CHECK(seen({{one, "192.0.2.1"}, {proto, "https"}, {host, "shop.example"}}) == "https shop.example");
  CHECK(seen({{proto, "HTTPS"}, {host, "shop.example"}}) == "https shop.example");
  CHECK(seen({{one, "192.0.2.1"}, {proto, "https"}, {host, "shop.example"}, {port, "8443"}}) ==
        "https shop.example:8443");
  CHECK(seen({{one, "192.0.2.1"}, {proto, "https"}, {host, "shop.example"}, {port, "443"}}) ==
        "https shop.example");
  CHECK(seen({{one, "192.0.2.1"}, {host, "shop.example:81"}, {port, "82"}}) == "http shop.example:81");
  CHECK(seen({{host, "[2001:db8::1]"}, {port, "81"}}) == "http [2001:db8::1]:81");
  // A client's own value stands left of what the first trusted proxy appended.
  CHECK(seen({{one, "198.51.100.1, 192.0.2.1"},
              {proto, "https, http"},
              {host, "evil.example, shop.example"}}) == "http shop.example");
  CHECK(seen({{one, "192.0.2.1, 10.0.0.2"}, {proto, "https, http"}}) == "https inner.example");
  CHECK(seen({{one, "192.0.2.1, 10.0.0.2"}, {proto, "https"}}) == "https inner.example");
  for (const auto junk :
       {"", "a b", "a/b", "a\"b", "user@host", "host:99999999", "host:", "[::1", "[a]", "<script>"})
    CHECK(seen({{proto, "gopher"}, {host, junk}}) == "http inner.example");
}

TEST_CASE("Forwarded is read by the grammar of RFC 7239") {
  const auto by = [](std::string_view value) { return client_by("Forwarded", value); };
  CHECK(by("for=192.0.2.43") == "192.0.2.43");
  CHECK(by("For=\"[2001:db8:cafe::17]:4711\"") == "2001:db8:cafe::17");
  CHECK(by("for=192.0.2.60;proto=http;by=203.0.113.43") == "192.0.2.60");
  CHECK(by("for=198.51.100.1, for=192.0.2.43, for=\"[fd00::1]\"") == "192.0.2.43");
  CHECK(by("for=_gazonk") == "_gazonk");
  CHECK(by("for=\"_gazonk:_port\"") == "_gazonk");
  CHECK(by("for=unknown") == "unknown");
  CHECK(by("for=\"192.0.2.43:47011\"") == "192.0.2.43");
  CHECK(by("for=192.0.2.43:47011") == "192.0.2.43");
  CHECK(by("for=\"192\\.0.2.43\"") == "192.0.2.43");
  CHECK(by("secret=\"a,b;for=10.0.0.9\";for=192.0.2.43") == "192.0.2.43");
  CHECK(by(" ,, for=192.0.2.43 ; ;proto=https , ") == "192.0.2.43");
  CHECK(by("proto=https") == "10.0.0.1");
  CHECK(by("for=\"[10.0.0.7]\"") == "unknown");

  const passed_on request(
      {{"Forwarded", "for=198.51.100.1;host=evil.example;proto=http"},
       {"Forwarded", "for=192.0.2.43;host=\"shop.example:8443\";proto=https, for=10.0.0.2"}});
  CHECK(request.in.client() == "192.0.2.43");
  CHECK(request.in.scheme() == "https");
  CHECK(request.in.host() == "shop.example:8443");
}

TEST_CASE("a Forwarded field that cannot be read tells nothing, whatever a client put into it") {
  for (const std::string_view value :
       {"for=\"192.0.2.1, for=10.0.0.5", "for", "for=", "=1.2.3.4", "for=1.2.3.4;for=10.0.0.5",
        "for==1.2.3.4", "for=\"1.2.3.4\\", "for=1.2.3.4 for=10.0.0.5", "for=\"1.2.3.4\"x", "(for=1.2.3.4)"}) {
    CAPTURE(value);
    CHECK(client_by("Forwarded", value) == "unknown");
    CHECK(client_by({{"Forwarded", std::string(value)}, {"Forwarded", "for=192.0.2.9, for=10.0.0.2"}}) ==
          "192.0.2.9");
  }
}

TEST_CASE("of two kinds of fields one decides") {
  const field_list both = {{"X-Forwarded-For", "192.0.2.1"}, {"Forwarded", "for=198.51.100.1;proto=https"}};
  const passed_on either(both);
  CHECK(either.in.client() == "192.0.2.1");
  CHECK(either.in.scheme() == "http");

  auto trust = trusting({"10.0.0.0/8"});
  trust.x_forwarded = false;
  CHECK(passed_on(both, trust).in.client() == "198.51.100.1");
  trust.x_forwarded = true;
  trust.forwarded = false;
  CHECK(passed_on(field_list{{"Forwarded", "for=198.51.100.1"}}, trust).in.client() == "10.0.0.1");
}

TEST_CASE("no more than 32 hops are believed") {
  const auto chain = [](int trusted) {
    std::string list = "192.0.2.1";
    for (int i = 0; i < trusted; ++i) list += ", 10.0.0.2";
    return list;
  };
  CHECK(client_by("X-Forwarded-For", chain(31)) == "192.0.2.1");
  CHECK(client_by("X-Forwarded-For", chain(32)) == "unknown");
  CHECK(client_by("X-Forwarded-For", chain(1000)) == "unknown");
  std::string forwarded = "for=192.0.2.1";
  for (int i = 0; i < 1000; ++i) forwarded += ",for=10.0.0.2";
  CHECK(client_by("Forwarded", forwarded) == "unknown");
}

TEST_CASE("a request that has moved keeps what it was told") {
  passed_on first(field_list{{"X-Forwarded-For", "192.0.2.1"}});
  CHECK(first.in.client() == "192.0.2.1");
  const request moved = std::move(first.in);
  CHECK(moved.client() == "192.0.2.1");
}

TEST_CASE("random fields are read safely") {
  std::mt19937 random(20'262);
  CAPTURE("seed 20262");
  const std::string_view pieces[] = {"for",      "=",         "\"",    "\\",   ",",  ";",     " ",
                                     "10.0.0.2", "192.0.2.1", "[::1]", ":80",  "_a", "proto", "https",
                                     "host",     "\t",        "\x7f",  "\xff", "x"};
  for (int round = 0, rounds = effort(20'000); round < rounds; ++round) {
    std::string value;
    for (auto n = random() % 24; n > 0; --n) value += pieces[random() % std::size(pieces)];
    const passed_on request(
        {{random() % 2 ? "Forwarded" : "X-Forwarded-For", value}, {"X-Forwarded-Host", value}});
    const auto client = request.in.client();
    CHECK_MESSAGE((client == "unknown" || client.front() == '_' || ip_address::parse(client)), value);
  }
}
