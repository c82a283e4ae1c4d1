// Of several hosts of the URL, target_session_attrs says which one is meant.

#include "replicated.hpp"

namespace {

/// Its own database is on the standby from the beginning.
struct pair_of_hosts {
  const temporary_postgres own;
  own::server standby{of_the_tests_server()};

  pair_of_hosts() { standby.start(); }

  data::database open(const std::string& first, const std::string& second, const std::string& attributes) {
    return postgres::open(at_hosts(own.url(), first + "," + second) + "?checkout_timeout=2s" +
                          (attributes.empty() ? "" : "&target_session_attrs=" + attributes));
  }
  std::string primary() const { return hosts_of(own.url()); }
};

}  // namespace

TEST_CASE("statements land on the host that takes writes, though a standby comes first") {
  pair_of_hosts hosts;
  for (const auto* attributes : {"read-write", "primary"}) {
    CAPTURE(std::string(attributes));
    const auto db = hosts.open(hosts.standby.place(), hosts.primary(), attributes);
    CHECK(run(who_answers(db)) == 0);
    run(db.execute("create table notes (n int)"));
    run(db.execute("drop table notes"));
    db.stop();
  }
  // The standby would have been taken.
  const auto any = hosts.open(hosts.standby.place(), hosts.primary(), "");
  CHECK(run(who_answers(any)) == hosts.standby.port());
  CHECK(failure_of(any.execute("create table notes (n int)")).code() == "database_read_only");
  any.stop();
}

TEST_CASE("statements land on the standby when one is asked for, though the primary comes first") {
  pair_of_hosts hosts;
  for (const auto* attributes : {"standby", "prefer-standby", "read-only"}) {
    CAPTURE(std::string(attributes));
    const auto db = hosts.open(hosts.primary(), hosts.standby.place(), attributes);
    CHECK(run(who_answers(db)) == hosts.standby.port());
    db.stop();
  }
  hosts.standby.stop();
  const auto preferring = hosts.open(hosts.primary(), hosts.standby.place(), "prefer-standby");
  CHECK(run(who_answers(preferring)) == 0);
  preferring.stop();
  const auto insisting = hosts.open(hosts.primary(), hosts.standby.place(), "standby");
  const auto refused = failure_of(who_answers(insisting));
  CHECK(refused.kind() == corbel::error_kind::unavailable);
  CHECK(contains(refused.cause(), "standby"));
  insisting.stop();
}

namespace {

task<void> promote(data::database standby) {
  const auto done = co_await standby.query_one<bool>("select pg_promote()");
  CHECK(done == true);
}

}  // namespace

TEST_CASE("after a failover the host that was a standby is found, and writes go on") {
  own::server first({.settings = {"max_connections=200", "max_wal_senders=8"}});
  first.start();
  own::server second({.primary = first.url()});
  second.start();
  const auto db = postgres::open(at_hosts(first.url(), first.place() + "," + second.place()) +
                                 "?target_session_attrs=read-write");
  run(db.execute("create table notes (n int)"));
  first.stop();
  const auto direct = postgres::open(second.url());
  run(promote(direct));
  run(db.execute("create table more (n int)"));
  CHECK(run(direct.query_one<int>("select count(*) from more")) == 0);
  direct.stop();
  db.stop();
}
