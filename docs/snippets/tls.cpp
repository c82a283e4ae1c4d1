#include <doctest/doctest.h>
#include <corbel/corbel.hpp>
#include <corbel/http/tls_info.hpp>

namespace {

corbel::app_settings protected_settings() {
  // region: settings
  corbel::app_settings settings;
  settings.server.port = 8443;
  settings.server.tls.emplace();
  settings.server.tls->certificate = "/etc/shop/fullchain.pem";
  settings.server.tls->key = "/etc/shop/privkey.pem";
  // More names: who asks for one that this certificate names gets it.
  settings.server.tls->more.push_back({"/etc/shop/api.pem", "/etc/shop/api.key"});
  // end: settings
  return settings;
}

// region: meter
std::string report(const corbel::request& in) {
  const auto* const tls = in.tls();  // null on a plain connection
  if (!tls || !tls->client) return "somebody";
  return tls->client->subject + " by " + std::string(tls->version);
}
// end: meter

// region: origin
std::string where(const corbel::request& in) {
  // What the browser shows, and who looks at it, through any number of listed proxies.
  return std::string(in.scheme()) + "://" + std::string(in.host()) + " for " + std::string(in.client());
}
// end: origin

}  // namespace

TEST_CASE("TLS settings whose files are missing stop the start") {
  corbel::app server(protected_settings());
  server.get("/", &report);
  try {
    (void)server.inject(corbel::injected_request("GET", "/"));
    FAIL("it started");
  } catch (const corbel::wiring_error& e) {
    CHECK(e.mistakes().size() == 4);
  }
}

TEST_CASE("client certificates and proxies are settings") {
  corbel::app_settings settings;
  // region: clients
  settings.server.tls.emplace();
  settings.server.tls->certificate = "/etc/shop/fullchain.pem";
  settings.server.tls->key = "/etc/shop/privkey.pem";
  settings.server.tls->client_ca = "/etc/shop/meters.pem";               // who shows none is not served,
  settings.server.tls->clients = corbel::client_certificates::optional;  // unless this says otherwise
  // end: clients
  settings.server.tls.reset();
  // region: proxies
  settings.server.trusted_proxies = {"10.0.0.0/8", "fd00::/8"};
  // end: proxies
  corbel::app server(std::move(settings));
  server.get("/where", &where);
  server.get("/report", &report);
  CHECK(server.inject(corbel::injected_request("GET", "/where")).body() == "http://localhost for ");
  CHECK(server.inject(corbel::injected_request("GET", "/report")).body() == "somebody");
}
