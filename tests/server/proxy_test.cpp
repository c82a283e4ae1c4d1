#include <doctest/doctest.h>

#include "corbel/middleware/access_log.hpp"
#include "server/certificates.hpp"
#include "server/running.hpp"
#include "server/tls_client.hpp"

namespace {

using corbel::request;
using namespace std::chrono_literals;

std::string who(const request& in) {
  return std::string(in.client()) + " " + std::string(in.scheme()) + " " + std::string(in.host()) + " " +
         std::string(in.peer());
}

void routes(corbel::route_group at) {
  at.use(corbel::access_log{});
  at.get("/", &who);
}

struct behind_proxy {
  explicit behind_proxy(const std::function<void(corbel::server_settings&)>& adjust,
                        corbel::server_limits limits = {})
      : server(routes, limits, 1, 5s, {}, corbel::logger(log), adjust) {}

  std::string ask(std::string_view preface, std::string_view headers = {}) const {
    const auto reply = wire::client(server.port()).ask(std::string(preface) + wire::get("/", headers));
    return reply ? reply->body : "closed";
  }
  bool logged(std::string_view text) const { return log->contains(text); }

  std::shared_ptr<corbel::captured_log> log = std::make_shared<corbel::captured_log>();
  running server;
};

void required(corbel::server_settings& s) {
  s.trusted_proxies = {"127.0.0.0/8"};
  s.proxy_protocol = corbel::proxy_protocol::required;
}

const std::string ada = "PROXY TCP4 192.0.2.1 10.0.0.1 4660 443\r\n";

}  // namespace

TEST_CASE("forwarding fields count from trusted proxies alone") {
  const std::string_view told =
      "X-Forwarded-For: 198.51.100.9, 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: "
      "shop.example\r\n";
  const behind_proxy open([](corbel::server_settings&) {});
  CHECK(open.ask({}, told) == "127.0.0.1 http test 127.0.0.1");
  const behind_proxy elsewhere([](corbel::server_settings& s) { s.trusted_proxies = {"10.0.0.0/8", "::1"}; });
  CHECK(elsewhere.ask({}, told) == "127.0.0.1 http test 127.0.0.1");
  const behind_proxy trusting([](corbel::server_settings& s) {
    s.trusted_proxies = {"10.0.0.0/8", "127.0.0.1"};
  });
  CHECK(trusting.ask({}, told) == "192.0.2.1 https shop.example 127.0.0.1");
  CHECK(trusting.logged("\"client\":\"192.0.2.1\""));
  CHECK(trusting.ask({}) == "127.0.0.1 http test 127.0.0.1");

  // On one connection, each request has its own origin.
  wire::client client(trusting.server.port());
  for (int i = 1; i < 5; ++i) {
    const auto address = "192.0.2." + std::to_string(i);
    CHECK(client.ask(wire::get("/", "X-Forwarded-For: " + address + "\r\n")).value().body.substr(0, 9) ==
          address);
  }
  const behind_proxy strict([](corbel::server_settings& s) {
    s.trusted_proxies = {"127.0.0.1"};
    s.proxy_headers = corbel::proxy_headers::forwarded;
  });
  CHECK(strict.ask({}, "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2;proto=https\r\n") ==
        "192.0.2.2 https test 127.0.0.1");
}

TEST_CASE("the PROXY protocol tells the peer") {
  const behind_proxy server(required);
  CHECK(server.ask(ada) == "192.0.2.1 http test 192.0.2.1");
  CHECK(server.logged("\"client\":\"192.0.2.1\""));
  CHECK(server.ask("PROXY UNKNOWN\r\n") == "127.0.0.1 http test 127.0.0.1");
  // Whom the preface names is not trusted to name others; a trusted hop is.
  CHECK(server.ask(ada, "X-Forwarded-For: 198.51.100.9\r\n") == "192.0.2.1 http test 192.0.2.1");
  CHECK(server.ask("PROXY TCP4 127.0.0.9 10.0.0.1 1 2\r\n", "X-Forwarded-For: 198.51.100.9\r\n") ==
        "198.51.100.9 http test 127.0.0.9");
  // A v2 preface that says the client came by TLS.
  CHECK(server.ask(std::string_view(
            "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14\xc0\x00\x02\x01\x0a\x00\x00\x01\x12\x34\x01\xbb"
            "\x20\x00\x05\x01\x00\x00\x00\x00",
            36)) == "192.0.2.1 https test 192.0.2.1");

  wire::client bytewise(server.server.port());
  REQUIRE(bytewise.send_bytewise(ada + wire::get("/") + wire::get("/")));
  CHECK(bytewise.read().value().body.substr(0, 9) == "192.0.2.1");
  CHECK(bytewise.read().value().body.substr(0, 9) == "192.0.2.1");
}

TEST_CASE("without its preface a connection is closed, unserved") {
  corbel::server_limits limits;
  limits.tls_handshake_timeout = 300ms;
  const behind_proxy server(required, limits);
  CHECK(wire::talk(server.server.port(), wire::get("/")).empty());
  CHECK(wire::talk(server.server.port(), "PROXY TCP4 nonsense\r\n" + wire::get("/")).empty());
  CHECK(wire::talk(server.server.port(), std::string(10'000, 'P')).empty());
  CHECK(server.logged("refused for its PROXY preface"));
  wire::client silent(server.server.port());
  wire::client slow(server.server.port());
  slow.send("PROXY TC");
  const auto start = std::chrono::steady_clock::now();
  CHECK(silent.drain().empty());
  CHECK(slow.drain().empty());
  CHECK(std::chrono::steady_clock::now() - start < 3s);

  const behind_proxy elsewhere([](corbel::server_settings& s) {
    required(s);
    s.trusted_proxies = {"10.0.0.0/8"};
  });
  CHECK(wire::talk(elsewhere.server.port(), ada + wire::get("/")).empty());
}

TEST_CASE("TLS begins behind the preface") {
  certificates made;
  made.make("server", {});
  const behind_proxy server([&](corbel::server_settings& s) {
    required(s);
    s.tls.emplace();
    s.tls->certificate = made.certificate("server");
    s.tls->key = made.key("server");
  });
  tls_client client(server.server.port(), {.preface = ada});
  REQUIRE_MESSAGE(client, client.why());
  CHECK(client.ask(wire::get("/")).value().body == "192.0.2.1 https test 192.0.2.1");
  CHECK(server.ask(ada).find("tls_expected") != std::string::npos);
}

TEST_CASE("mistakes in the proxies' settings are named") {
  corbel::server_settings settings;
  settings.trusted_proxies = {"10.0.0.0/8", "10.1.2.3/8", "proxy.internal"};
  settings.proxy_protocol = corbel::proxy_protocol::required;
  auto wrong = corbel::check(settings);
  REQUIRE(wrong.size() == 2);
  CHECK(wrong[0].find("\"10.1.2.3/8\" is no network") != std::string::npos);
  CHECK(wrong[1].find("\"proxy.internal\"") != std::string::npos);
  settings.trusted_proxies.clear();
  wrong = corbel::check(settings);
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].find("proxy_protocol is required") != std::string::npos);
}
