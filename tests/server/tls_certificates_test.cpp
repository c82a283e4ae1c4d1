#include <doctest/doctest.h>

#include <fstream>

#include "corbel/http/tls_info.hpp"
#include "server/certificates.hpp"
#include "server/running.hpp"
#include "server/tls_client.hpp"

namespace {

using corbel::client_certificates;
using corbel::request;
using namespace std::chrono_literals;

std::string who(const request& in) {
  const auto* const tls = in.tls();
  if (!tls || !tls->client) return "nobody";
  const auto& c = *tls->client;
  return c.subject + "|" + c.issuer + "|" + (c.names.empty() ? "" : c.names.front()) + "|" +
         std::to_string(c.fingerprint.size()) + "|" + (c.not_after > in.now() ? "valid" : "over");
}

std::vector<std::string> mistakes(const std::function<void(corbel::tls_settings&)>& adjust) {
  corbel::server_settings settings;
  settings.tls.emplace();
  adjust(*settings.tls);
  return corbel::check(settings);
}

bool names(const std::vector<std::string>& list, std::initializer_list<std::string_view> words) {
  if (list.size() != 1) return false;
  for (const auto each : words)
    if (list.front().find(each) == std::string::npos) return false;
  return true;
}

struct authority {
  authority() {
    made.make("server", {.subject = "first", .names = {"DNS:localhost"}});
    made.make("ca", {.subject = "authority", .authority = true});
    made.make("other_ca", {.subject = "other", .authority = true});
    made.make("ada", {.subject = "ada", .names = {"email:ada@example.org"}, .issuer = "ca"});
    made.make("eve", {.subject = "eve", .issuer = "other_ca"});
    made.make("late", {.subject = "late", .valid_from = -7200, .valid_until = -3600, .issuer = "ca"});
  }

  running serve(std::optional<client_certificates> clients, corbel::logger log = {}) {
    return running([](corbel::route_group at) { at.get("/", &who); }, {}, 1, 5s, {}, std::move(log),
                   [&](corbel::server_settings& s) {
                     s.tls.emplace();
                     s.tls->certificate = made.certificate("server");
                     s.tls->key = made.key("server");
                     s.tls->client_ca = made.certificate("ca");
                     s.tls->clients = clients;
                   });
  }
  std::optional<wire::reply> ask(const running& server, const std::string& as, int version = 0) {
    tls_client::options with;
    if (version) with.least = with.most = version;
    if (!as.empty()) {
      with.certificate = made.certificate(as);
      with.key = made.key(as);
    }
    tls_client client(server.port(), with);
    return client ? client.ask(wire::get("/")) : std::nullopt;
  }

  certificates made;
};

}  // namespace

TEST_CASE("mistakes in the files stop the start, each with the way to mend it") {
  certificates made;
  made.make("a", {});
  made.make("b", {});
  made.make("weak", {.key = certificates::kind::weak_rsa});
  std::ofstream(made.path("junk.pem")) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  std::ofstream(made.path("empty.pem")) << "";
  made.make("sealed", {});
  made.seal("sealed", "secret");
  CHECK(mistakes([&](auto& s) {
          s.certificate = made.certificate("a");
          s.key = made.key("a");
        }).empty());
  CHECK(names(mistakes([&](auto& s) { s.certificate = "/none/x.pem", s.key = made.key("a"); }),
              {"tls.certificate", "/none/x.pem", "No such file"}));
  CHECK(names(mistakes([&](auto& s) { s.certificate = made.certificate("a"); }), {"tls.key is empty"}));
  CHECK(names(mistakes([&](auto& s) { s.certificate = made.certificate("a"), s.key = made.key("b"); }),
              {"tls.key", "does not belong"}));
  CHECK(names(mistakes([&](auto& s) { s.certificate = made.path("junk.pem"), s.key = made.key("a"); }),
              {"tls.certificate", "no readable certificate"}));
  CHECK(names(mistakes([&](auto& s) { s.certificate = made.path("empty.pem"), s.key = made.key("a"); }),
              {"tls.certificate", "no readable certificate"}));
  CHECK(
      names(mistakes([&](auto& s) { s.certificate = made.certificate("a"), s.key = made.certificate("a"); }),
            {"tls.key", "no readable private key"}));
  CHECK(names(
      mistakes([&](auto& s) { s.certificate = made.certificate("sealed"), s.key = made.key("sealed"); }),
      {"tls.key", "encrypted"}));
  CHECK(names(mistakes([&](auto& s) { s.certificate = made.certificate("weak"), s.key = made.key("weak"); }),
              {"tls:", "refuses", "2048"}));
  CHECK(names(mistakes([&](auto& s) {
                s.certificate = made.certificate("a"), s.key = made.key("a");
                s.more.push_back({made.certificate("b"), made.key("a")});
              }),
              {"tls.more[0].key", "does not belong"}));
  CHECK(names(mistakes([&](auto& s) {
                s.certificate = made.certificate("a"), s.key = made.key("a");
                s.clients = client_certificates::required;
              }),
              {"tls.client_ca is empty"}));
  CHECK(names(mistakes([&](auto& s) {
                s.certificate = made.certificate("a"), s.key = made.key("a"), s.client_ca = made.key("a");
              }),
              {"tls.client_ca", "no readable certificate"}));
}

TEST_CASE("an expired certificate is worth a warning, not a stop") {
  certificates made;
  made.make("server", {.valid_from = -7200, .valid_until = -3600});
  const auto log = std::make_shared<corbel::captured_log>();
  running server([](corbel::route_group at) { at.get("/", &who); }, {}, 1, 5s, {}, corbel::logger(log),
                 [&](corbel::server_settings& s) {
                   s.tls.emplace();
                   s.tls->certificate = made.certificate("server");
                   s.tls->key = made.key("server");
                 });
  CHECK(log->contains("has expired"));
  CHECK(tls_client(server.port()).ask(wire::get("/")).value().code == 200);
  const tls_client careful(server.port(), {.authority = made.certificate("server")});
  CHECK_FALSE(careful);
}

TEST_CASE("certificates are reloaded, and what is open goes on") {
  certificates made;
  made.make("server", {.subject = "old"});
  made.make("fresh", {.subject = "new"});
  const auto log = std::make_shared<corbel::captured_log>();
  running server([](corbel::route_group at) { at.get("/", &who); }, {}, 2, 5s, {}, corbel::logger(log),
                 [&](corbel::server_settings& s) {
                   s.tls.emplace();
                   s.tls->certificate = made.certificate("server");
                   s.tls->key = made.key("server");
                 });
  tls_client open(server.port());
  CHECK(open.server() == "old");
  wire::client in_handshake(server.port());
  in_handshake.send("\x16\x03\x01");

  std::filesystem::rename(made.key("server"), made.path("away"));
  CHECK_FALSE(server.server().reload_certificates());
  CHECK(log->contains("cannot read"));
  CHECK(tls_client(server.port()).server() == "old");
  std::filesystem::rename(made.path("away"), made.key("server"));

  made.replace("server", "fresh");
  CHECK(server.server().reload_certificates());
  for (int i = 0; i < 2000 && tls_client(server.port()).server() != "new"; ++i) {
  }
  for (int i = 0; i < 8; ++i) CHECK(tls_client(server.port()).server() == "new");
  CHECK(open.ask(wire::get("/")).value().code == 200);
}

TEST_CASE("clients show a certificate of the right authority, or are not served") {
  authority a;
  const auto server = a.serve({});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CHECK(a.ask(server, "ada", version).value().body == "CN=ada|CN=authority|email:ada@example.org|64|valid");
    for (const auto refused : {"", "eve", "late", "server"})
      CHECK_MESSAGE(!a.ask(server, refused, version), refused);
  }
}

TEST_CASE("a certificate may be optional, but a bad one is none") {
  authority a;
  const auto server = a.serve(client_certificates::optional);
  CHECK(a.ask(server, "ada").value().body.substr(0, 6) == "CN=ada");
  CHECK(a.ask(server, "").value().body == "nobody");
  for (const auto refused : {"eve", "late"}) CHECK_MESSAGE(!a.ask(server, refused), refused);
}

TEST_CASE("with client certificates every connection is checked anew") {
  authority a;
  const auto server = a.serve({});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls_client::options with;
    with.certificate = a.made.certificate("ada");
    with.key = a.made.key("ada");
    with.least = with.most = version;
    tls_client first(server.port(), with);
    CHECK(first.ask(wire::get("/")).value().code == 200);
    const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(first.session(),
                                                                            &SSL_SESSION_free);
    with.resume = session.get();
    CHECK_FALSE(tls_client(server.port(), with).resumed());
    with.certificate.clear();
    tls_client stolen(server.port(), with);
    CHECK_FALSE(stolen.ask(wire::get("/")));
  }
}
