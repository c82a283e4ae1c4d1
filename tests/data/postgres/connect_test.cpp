// What whoever starts a program reads when its database cannot be reached, and what clients read then.

#include <string>

#include "data/postgres/connect_advice.hpp"
#include "support/tasks.hpp"

namespace {

/// The failure of the first statement by this URL.
corbel::failure failure_of(const std::string& url) {
  const auto db = postgres::open(with_option(url, "checkout_timeout=2s"));
  std::optional<corbel::failure> failed;
  try {
    run(db.ping());
  } catch (const corbel::failure& f) {
    failed = f;
  }
  db.stop();
  REQUIRE(failed);
  return *failed;
}

void expect_told(const corbel::failure& failed, const std::string& why, const std::string& advice) {
  const std::string told = failed.what();
  CAPTURE(told);
  CHECK(contains(told, "Postgres cannot be reached: "));
  CHECK(contains(told, why));
  CHECK(contains(told, advice));
  CHECK(failed.error().kind() == error_kind::unavailable);
  CHECK(failed.error().message() == "The database is not available. Try again shortly.");
  CHECK(failed.error().details().empty());
}

/// The URL of the tests' server with another user and another database.
std::string elsewhere(const std::string& user, const std::string& name) {
  const auto url = temporary_postgres::server();
  const auto host = url.substr(url.find('@') + 1);
  return "postgres://" + user + '@' + host.substr(0, host.find('/')) + '/' + name;
}

}  // namespace

TEST_CASE("a server that is not there is told as what it is") {
  expect_told(failure_of("postgres://app:hidden@127.0.0.1:1/app"), "Connection refused",
              "correct the host and the port in the database URL");
  CHECK_FALSE(contains(failure_of("postgres://app:hidden@127.0.0.1:1/app").what(), "hidden"));
  expect_told(failure_of("postgres:///app?host=/no/such/folder&user=app"), "/no/such/folder",
              "start Postgres on this machine, or write its host into the database URL");
}

TEST_CASE("a server that refuses is told with what to do about it") {
  expect_told(failure_of(elsewhere("corbel", "no_such_database")), "no_such_database",
              "create it (createdb), or correct the name behind the last / of the database URL");
  expect_told(failure_of(elsewhere("no_such_user", "postgres")), "no_such_user",
              "create it (createuser), or correct the user in the database URL");
}

TEST_CASE("each refusal has its advice") {
  const auto advice = [](const char* why) { return postgres::connect_advice(why); };
  const std::string at = R"(connection to server at "10.0.0.1", port 5432 failed: )";
  const auto refused = [&](const char* why) { return postgres::connect_advice(at + why); };
  CHECK(contains(advice(R"(could not translate host name "db" to address: Name or service not known)"),
                 "correct the host"));
  CHECK(contains(refused(R"(FATAL:  password authentication failed for user "app")"),
                 "correct the user and the password"));
  CHECK(contains(refused("fe_sendauth: no password supplied"), "PGPASSWORD"));
  CHECK(contains(refused(R"(FATAL:  Peer authentication failed for user "app")"),
                 "write a host and a password"));
  CHECK(contains(refused(R"(FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "app", database "app", )"
                         "no encryption"),
                 "sslmode=require"));
  CHECK_FALSE(
      contains(refused(R"(FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "app", database "app", )"
                       "SSL encryption"),
               "sslmode"));
  CHECK(contains(refused(R"(FATAL:  pg_hba.conf rejects connection for host "10.0.0.2", user "app")"),
                 "pg_hba.conf"));
  CHECK(contains(refused("server does not support SSL, but SSL was required"), "ssl = on"));
  CHECK(contains(refused("SSL error: certificate verify failed"), "sslrootcert"));
  CHECK(contains(refused(R"(server certificate for "db" does not match host name "10.0.0.1")"),
                 "as the server's certificate names it"));
  CHECK(contains(refused("timeout expired"), "connect_timeout"));
  CHECK(contains(refused("FATAL:  sorry, too many clients already"), "max_connections"));
  CHECK(contains(refused("FATAL:  the database system is starting up"), "wait until it is up"));
  CHECK(contains(refused("session is read-only"), "target_session_attrs"));
  CHECK(contains(refused("received invalid response to SSL negotiation: H"), "no Postgres"));
  CHECK(
      contains(refused("FATAL:  unsupported startup parameter in options: datestyle"), "pooler=transaction"));
  // A server that speaks another language.
  CHECK(contains(refused("FATAL:  Datenbank »app« existiert nicht"),
                 "look whether host, port, user, password and database are right"));
}
