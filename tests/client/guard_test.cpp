#include <doctest/doctest.h>
#include <stdexcept>

#include "client/caller.hpp"
#include "client/raw_server.hpp"

using namespace corbel;

TEST_CASE("without leave, no call reaches the own machine, however its URL is written") {
  raw_server service([](auto& peer) { peer.request(); });
  caller loop;
  client http;
  const auto port = ':' + std::to_string(service.port()) + '/';
  for (const std::string host :
       {"127.0.0.1", "localhost", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0",
        "[::]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"}) {
    const auto got = loop.wait(http.get("http://" + host + port));
    REQUIRE_MESSAGE(!got, host);
    CHECK_MESSAGE(got.error().code() == "address_refused", host);
    CHECK(status_of(got.error().kind()) == status::bad_gateway);
  }
  for (const std::string host : {"2130706433", "0x7f.1", "127.1", "017700000001", "127.0.0.1.", "localhost."})
    CHECK_MESSAGE(loop.wait(http.get("http://" + host + port)).error().code() == "invalid_url", host);
  CHECK(service.connections() == 0);
}

TEST_CASE("the refusal says how to allow the call, to the log alone") {
  caller loop;
  client http;
  const auto got = loop.wait(http.get("http://127.0.0.1:9/"));
  REQUIRE_FALSE(got);
  CHECK(got.error().cause() ==
        "calls to 127.0.0.1:9 are refused: 127.0.0.1 is a loopback address; if it is a service of your own, "
        "name "
        "it in client_settings::allow_hosts, name its network in allow_networks, or start from "
        "client_settings::for_own_services()");
  CHECK(got.error().message().find("127") == std::string::npos);
}

TEST_CASE("hosts, networks and ports are allowed one by one") {
  raw_server service([](auto& peer) {
    peer.request();
    peer.send(ok("."));
  });
  caller loop;
  const auto reached = [&](const client_settings& settings, std::string host) {
    client http(settings);
    return loop.wait(http.get("http://" + host + ':' + std::to_string(service.port()))).has_value();
  };
  client_settings by_name;
  by_name.allow_hosts = {"localhost"};
  CHECK(reached(by_name, "localhost"));
  CHECK(reached(by_name, "LocalHost"));
  CHECK_FALSE(reached(by_name, "127.0.0.1"));
  client_settings by_network;
  by_network.allow_networks = {"127.0.0.0/24"};
  CHECK(reached(by_network, "127.0.0.1"));
  CHECK(reached(by_network, "localhost"));
  CHECK_FALSE(reached(by_network, "127.0.1.1"));
  auto by_port = client_settings::for_own_services();
  CHECK(reached(by_port, "127.0.0.1"));
  by_port.allow_ports = {80, 443};
  CHECK_FALSE(reached(by_port, "127.0.0.1"));
  auto users = client_settings::for_user_supplied_urls();
  users.allow_hosts = {"127.0.0.1"};
  CHECK_FALSE(reached(users, "127.0.0.1"));
  users.allow_ports.push_back(service.port());
  CHECK(reached(users, "127.0.0.1"));
}

TEST_CASE("settings that cannot be meant stop the program where it is put together") {
  const auto refused = [](auto change) {
    client_settings settings;
    change(settings);
    CHECK_THROWS_AS(client{settings}, std::invalid_argument);
  };
  refused([](auto& s) { s.allow_networks = {"10.0.0.0/99"}; });
  refused([](auto& s) { s.allow_hosts = {"*.internal"}; });
  refused([](auto& s) { s.proxy = "proxy:3128"; });
  refused([](auto& s) { s.proxy = "https://proxy:3128"; });
  refused([](auto& s) { s.limits.connections_per_origin = 0; });
  refused([](auto& s) { s.user_agent = "a\r\nb"; });
  refused([](auto& s) { s.tls.authority_file = "/nonexistent.pem"; });
  refused([](auto& s) { s.tls.certificate_file = "/nonexistent.pem"; });
  refused([](auto& s) { s.tls.certificate_file = s.tls.key_file = "/nonexistent.pem"; });
}
