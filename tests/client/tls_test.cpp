#include <doctest/doctest.h>
#include <stdexcept>

#include "client/caller.hpp"
#include "client/tls_server.hpp"

using namespace corbel;

namespace {

client_settings trusting(const test_authority& authority) {
  auto made = local();
  made.tls.authority_file = authority.certificate();
  return made;
}

/// The cause of the failure of a call that must fail in the handshake.
std::string refused(const client_settings& settings, const std::string& url) {
  caller loop;
  client http(settings);
  const auto got = loop.wait(http.get(url));
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == "tls_failed");
  CHECK(status_of(got.error().kind()) == status::bad_gateway);
  return got.error().cause();
}

void check_refused(const client_settings& settings, const std::string& url, std::string_view why) {
  const auto cause = refused(settings, url);
  CHECK_MESSAGE(cause.find(why) != std::string::npos, cause);
}

}  // namespace

TEST_CASE("a server is known by its certificate") {
  test_authority authority;
  tls_server service(authority.issue("DNS:localhost,IP:127.0.0.1"), ok("secret"));
  caller loop;
  client http(trusting(authority));
  auto got = loop.wait(http.get(service.url("localhost")));
  REQUIRE(got);
  CHECK(got->body() == "secret");
  CHECK(service.last().server_name == "localhost");
  CHECK(service.last().protocol == "http/1.1");
  CHECK(service.last().version == "TLSv1.3");
  CHECK(loop.wait(http.get(service.url("localhost")))->body() == "secret");
  CHECK(service.connections() == 1);
  got = loop.wait(http.get(service.url("127.0.0.1")));
  REQUIRE(got);
  CHECK(service.last().server_name.empty());  // RFC 6066, 3: addresses are no server names
}

TEST_CASE("a certificate that proves nothing ends the call before anything is sent") {
  test_authority authority, stranger;
  {
    tls_server service(stranger.issue("DNS:localhost"), ok("x"));
    check_refused(trusting(authority), service.url("localhost"), "certificate");
    check_refused(local(), service.url("localhost"), "certificate");
    CHECK(service.served() == 0);
  }
  {
    tls_server service(authority.issue("DNS:localhost,DNS:*.example.com,DNS:f*.example.org"), ok("x"));
    check_refused(trusting(authority), service.url("127.0.0.1"), "IP address mismatch");
  }
  {
    tls_server service(authority.issue("DNS:elsewhere.example,DNS:127.0.0.1"), ok("x"));
    check_refused(trusting(authority), service.url("localhost"), "hostname mismatch");
    check_refused(trusting(authority), service.url("127.0.0.1"), "IP address mismatch");
  }
  {
    tls_server service(authority.issue("DNS:localhost", -1), ok("x"));
    check_refused(trusting(authority), service.url("localhost"), "expired");
  }
  {
    tls_server::options old;
    old.most_version = 0x0302;
    tls_server service(authority.issue("DNS:localhost"), ok("x"), old);
    refused(trusting(authority), service.url("localhost"));
    old.most_version = 0x0303;
    tls_server modern(authority.issue("DNS:localhost"), ok("x"), old);
    caller loop;
    client http(trusting(authority));
    CHECK(loop.wait(http.get(modern.url("localhost"))));
    CHECK(modern.last().version == "TLSv1.2");
  }
  {
    raw_server plain([](auto& peer) {
      peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
      peer.ends();
    });
    refused(local(), "https://127.0.0.1:" + std::to_string(plain.port()));
    raw_server gone([](auto&) {});
    refused(local(), "https://127.0.0.1:" + std::to_string(gone.port()));
  }
}

TEST_CASE("whoever wants no proof must say so") {
  test_authority authority;
  tls_server service(authority.issue("DNS:elsewhere.example", -1), ok("x"));
  auto settings = local();
  settings.tls.dangerously_accept_any_certificate = true;
  caller loop;
  client http(settings);
  CHECK(loop.wait(http.get(service.url("localhost")))->body() == "x");
}

TEST_CASE("the client shows its own certificate") {
  test_authority authority;
  tls_server::options with;
  with.client_authority = authority.certificate();
  tls_server service(authority.issue("DNS:localhost"), ok("x"), with);
  auto settings = trusting(authority);
  {
    caller loop;
    client http(settings);
    CHECK_FALSE(loop.wait(http.get(service.url("localhost"))));
    CHECK(service.served() == 0);
  }
  const auto own = authority.issue("DNS:me");
  settings.tls.certificate_file = own.certificate;
  settings.tls.key_file = own.key;
  caller loop;
  client http(settings);
  CHECK(loop.wait(http.get(service.url("localhost"))));
  CHECK(service.last().client == "Test");
  settings.tls.key_file = authority.issue("DNS:other").key;
  CHECK_THROWS_AS(client{settings}, std::invalid_argument);
}

TEST_CASE("a body that lasts to the end of the connection must end with TLS's farewell") {
  test_authority authority;
  const std::string words = "HTTP/1.1 200 OK\r\n\r\nall of it";
  caller loop;
  client http(trusting(authority));
  tls_server polite(authority.issue("DNS:localhost"), words);
  CHECK(loop.wait(http.get(polite.url("localhost")))->body() == "all of it");
  tls_server::options with;
  with.farewell = false;
  tls_server cut(authority.issue("DNS:localhost"), words, with);
  const auto got = loop.wait(http.get(cut.url("localhost")));
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == "connection_lost");
}

TEST_CASE("a redirect from https to http is refused") {
  test_authority authority;
  raw_server plain([](auto& peer) {
    peer.request();
    peer.send(ok("in the open"));
  });
  const auto words = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + plain.url() + "\r\n\r\n";
  tls_server service(authority.issue("DNS:localhost"), words);
  caller loop;
  auto settings = trusting(authority);
  client http(settings);
  const auto got = loop.wait(http.get(service.url("localhost")));
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == "insecure_redirect");
  CHECK(plain.connections() == 0);
  settings.allow_insecure_redirects = true;
  client careless(settings);
  CHECK(loop.wait(careless.get(service.url("localhost")))->body() == "in the open");
}

TEST_CASE("a tunnel through a proxy carries TLS to the service itself") {
  test_authority authority;
  tls_server service(authority.issue("DNS:service.invalid"), ok("through"));
  // It connects every tunnel to the service, whatever the name.
  raw_server proxy([&](auto& peer) {
    const auto asked = peer.request();
    if (asked.find("CONNECT service.invalid:") != 0) {
      peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!");
      return;
    }
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
    peer.splice(service.port());
  });
  auto settings = trusting(authority);
  settings.proxy = proxy.url();
  caller loop;
  client http(settings);
  const auto got = loop.wait(http.get(service.url("service.invalid")));
  REQUIRE(got);
  CHECK(got->body() == "through");
  CHECK(service.last().server_name == "service.invalid");
  const auto refused_by_proxy = loop.wait(http.get("https://other.invalid/"));
  REQUIRE_FALSE(refused_by_proxy);
  CHECK(refused_by_proxy.error().code() == "connect_failed");
  CHECK(loop.wait(http.get("https://169.254.169.254/")).error().code() == "address_refused");
  CHECK(loop.wait(http.get("http://169.254.169.254/")).error().code() == "address_refused");
  // In the clear the proxy is told the whole URL, and answers itself.
  CHECK(loop.wait(http.get("http://open.invalid/a?b"))->code() == 403);
  CHECK(proxy.requests().back().find("GET http://open.invalid/a?b HTTP/1.1\r\nHost: open.invalid\r\n") == 0);
}
