// What sslmode asks of a server, and what a server asks of its clients.

#include "data/postgres/support/certificates.hpp"
#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

/// With a certificate for these names, and whom it lets in ("hostssl all all 127.0.0.1/32 trust").
struct tls_server {
  explicit tls_server(const std::string& names, const std::string& access) {
    own::make_certificate(server.path(), "server", "server", names);
    own::make_certificate(server.path(), "client", "corbel", "");
    own::make_certificate(server.path(), "stranger", "corbel", "");
    std::ofstream(server.data() + "/postgresql.conf", std::ios::app)
        << "ssl = on\nssl_cert_file = '" << file("server.crt") << "'\nssl_key_file = '" << file("server.key")
        << "'\nssl_ca_file = '" << file("client.crt") << "'\n";
    std::ofstream(server.data() + "/pg_hba.conf") << access << "\n";
    server.start();
  }

  std::string file(const std::string& name) const { return server.path() + "/" + name; }
  data::database open(const std::string& options) const {
    return postgres::open(server.url("connections=1&checkout_timeout=500ms&" + options));
  }
  /// Trusting the server's own certificate.
  data::database open_verified(const std::string& mode, const std::string& options = "") const {
    return open("sslmode=" + mode + "&sslrootcert=" + file("server.crt") + options);
  }

  own::server server;
};

bool is_encrypted(const data::database& db) {
  return one<bool>(db, "select ssl from pg_stat_ssl where pid = pg_backend_pid()");
}
corbel::error refusal_of(const data::database& db) {
  auto refused = failure_of(db.ping());
  db.stop();
  return refused;
}

}  // namespace

TEST_CASE("sslmode=prefer encrypts where the server can, and does without where it cannot") {
  own::server plain;
  plain.start();
  for (const auto* mode : {"prefer", "allow"}) {
    const auto db = postgres::open(plain.url(std::string("connections=1&sslmode=") + mode));
    CHECK_FALSE(is_encrypted(db));
    db.stop();
  }
  const auto insists = postgres::open(plain.url("connections=1&checkout_timeout=500ms&sslmode=require"));
  CHECK(contains(refusal_of(insists).cause(), "does not support SSL"));

  const tls_server able("DNS:localhost", "host all all 127.0.0.1/32 trust");
  const auto prefers = able.open("sslmode=prefer");
  CHECK(is_encrypted(prefers));
  prefers.stop();
  const auto allows = able.open("sslmode=allow");
  CHECK_FALSE(is_encrypted(allows));
  allows.stop();

  // Asked for plainly, it says no; so it is asked again.
  const tls_server strict("DNS:localhost", "hostssl all all 127.0.0.1/32 trust");
  const auto asks_again = strict.open("sslmode=allow");
  CHECK(is_encrypted(asks_again));
  asks_again.stop();
}

TEST_CASE("verify-ca knows who vouches for a server, and verify-full its name as well") {
  const tls_server elsewhere("DNS:db.elsewhere", "hostssl all all 127.0.0.1/32 trust");
  const auto by_authority = elsewhere.open_verified("verify-ca");
  CHECK(is_encrypted(by_authority));
  by_authority.stop();

  const auto wrong_name = refusal_of(elsewhere.open_verified("verify-full"));
  CHECK(wrong_name.kind() == error_kind::unavailable);
  CHECK(contains(wrong_name.cause(), "db.elsewhere"));
  CHECK_FALSE(contains(wrong_name.message(), "elsewhere"));

  const auto unknown =
      refusal_of(elsewhere.open("sslmode=verify-ca&sslrootcert=" + elsewhere.file("stranger.crt")));
  CHECK(unknown.kind() == error_kind::unavailable);
  CHECK(contains(unknown.cause(), "certificate verify failed"));

  // Who trusts nobody in particular is told what is missing, and does not connect unverified.
  const auto rootless = refusal_of(elsewhere.open("sslmode=verify-ca&sslrootcert=/nowhere.crt"));
  CHECK(rootless.kind() == error_kind::unavailable);
  CHECK(contains(rootless.cause(), "/nowhere.crt"));
}

TEST_CASE("a server that asks for a client's certificate gets it, and lets in nobody without") {
  const tls_server server("IP:127.0.0.1", "hostssl all all 127.0.0.1/32 cert");
  const auto with = [&](const std::string& name) {
    return server.open_verified(
        "verify-full", "&sslcert=" + server.file(name + ".crt") + "&sslkey=" + server.file(name + ".key"));
  };
  const auto known = with("client");
  CHECK(one<std::string>(known, "select client_dn from pg_stat_ssl where pid = pg_backend_pid()") ==
        "/CN=corbel");
  known.stop();

  const auto without = refusal_of(server.open_verified("verify-full", "&sslcert=/nowhere.crt"));
  CHECK(without.kind() == error_kind::unavailable);
  CHECK(contains(without.cause(), "requires a valid client certificate"));
  CHECK_FALSE(contains(without.message(), "certificate"));

  // The server's reason may be lost: it hangs up while the client still talks.
  CHECK(refusal_of(with("stranger")).kind() == error_kind::unavailable);
}
