// Encrypted connections: large values both ways, and servers that are not who they should be.

#include "data/postgres/support/certificates.hpp"
#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

task<void> answer(data::source on, int n, int* wrong) {
  const auto got = co_await on.query_one<int>("select $1::int", n);
  if (got != n) ++*wrong;
}
task<void> echo(data::source on, std::size_t size, int* wrong) {
  const std::string text(size, static_cast<char>('a' + size % 26));
  const auto got = co_await on.query_one<std::string>("select $1::text", text);
  if (got != text) ++*wrong;
}

}  // namespace

TEST_CASE("TLS") {
  own::server server;
  own::make_certificate(server.path(), "server");
  own::make_certificate(server.path(), "other");
  {
    std::ofstream settings(server.data() + "/postgresql.conf", std::ios::app);
    settings << "ssl = on\nssl_cert_file = '" << server.path() << "/server.crt'\nssl_key_file = '"
             << server.path() << "/server.key'\n";
    std::ofstream access(server.data() + "/pg_hba.conf");
    access
        << "local all all trust\nhostnossl all all 127.0.0.1/32 reject\nhostssl all all 127.0.0.1/32 trust\n";
  }
  server.start();

  SUBCASE("carries many statements and large values both ways at once") {
    proxy between(server.port());
    const auto db = postgres::open(between.in(server.url("sslmode=require&connections=2")));
    const auto encrypted =
        one<std::string>(db, "select version from pg_stat_ssl where pid = pg_backend_pid()");
    CHECK(contains(encrypted, "TLSv1."));
    side_by_side all;
    int wrong = 0;
    for (int n = 0; n < 300; ++n) all.start(answer(db, n, &wrong));
    for (const std::size_t size : {1u, 16'383u, 16'384u, 16'385u, 65'536u, 3'000'000u, 10'000'000u})
      all.start(echo(db, size, &wrong));
    auto& rows = all.start([](data::database on, int* mistaken) -> task<void> {
      const auto many = co_await on.query<int>("select n from generate_series(1, 100000) n");
      if (many.size() != 100'000 || many.back() != 100'000) ++*mistaken;
    }(db, &wrong));
    all.run();
    CHECK_FALSE(rows.thrown);
    for (const auto& each : all.all()) {
      if (const auto failed = each.failed()) FAIL_CHECK(failed->cause());
      CHECK_FALSE(each.thrown);
    }
    CHECK(wrong == 0);
    // Idle for a while, then cut: as without TLS.
    all.run_for(50ms);
    between.cut();
    all.run_for(50ms);
    auto& again = all.start(answer(db, 5, &wrong));
    all.run();
    CHECK_FALSE(again.thrown);
    db.stop();
  }

  SUBCASE("does twice nothing that arrived in front of a long message that did not") {
    proxy between(server.port());
    const auto db =
        postgres::open(between.in(server.url("sslmode=require&connections=1&statement_timeout=500ms")));
    const auto watcher = postgres::open(server.url("sslmode=require"));
    run(watcher.execute("create table stored (n integer, pad text)"));
    const auto store = [](data::database on, int n, std::size_t size) -> task<void> {
      co_await on.execute("insert into stored values ($1, $2)", n, std::string(size, 'x'));
    };
    side_by_side all;
    all.start(store(db, 0, 1));
    all.run();
    auto& small = all.start(store(db, 1, 10));
    auto& large = all.start(store(db, 2, 64u << 20));
    // The small one is stored while the network takes no more than the beginning of the large one.
    const auto stored = [&] { return one<int>(watcher, "select count(*) from stored where n = 1") > 0; };
    for (int tries = 0; tries < 500 && !stored(); ++tries) all.run_for(1ms);
    between.stall(true);
    all.run_until([&] { return small.ended && large.ended; }, 10s);
    between.stall(false);
    all.run(20s);
    CHECK(one<int>(watcher, "select count(*) from stored where n = 1") == 1);
    CHECK(one<int>(watcher, "select count(*) from stored where n = 2") <= 1);
    db.stop();
    watcher.stop();
  }

  SUBCASE("stops what was cancelled") {
    const auto db = postgres::open(server.url("sslmode=require&connections=1"));
    side_by_side all;
    int wrong = 0;
    auto& sleeper = all.start([](data::database on) -> task<void> {
      (void)co_await on.query_one<data::value>("select pg_sleep(20)");
    }(db));
    all.run_for(300ms);
    sleeper.stop();
    auto& next = all.start(answer(db, 1, &wrong));
    all.run(3s);
    CHECK_FALSE(next.thrown);
    db.stop();
  }

  SUBCASE("knows the server by its certificate, and no other") {
    const auto trusting =
        postgres::open(server.url("sslmode=verify-full&sslrootcert=" + server.path() + "/server.crt"));
    CHECK(one<int>(trusting, "select 1") == 1);
    trusting.stop();
    const auto wary = postgres::open(
        server.url("sslmode=verify-full&checkout_timeout=500ms&sslrootcert=" + server.path() + "/other.crt"));
    const auto refused = failure_of(wary.ping());
    CHECK(refused.kind() == error_kind::unavailable);
    CHECK(contains(refused.cause(), "certificate verify failed"));
    CHECK_FALSE(contains(refused.message(), "certificate"));
    wary.stop();
    const auto plain = postgres::open(server.url("sslmode=disable&checkout_timeout=500ms"));
    CHECK(contains(failure_of(plain.ping()).cause(), "no encryption"));
    plain.stop();
  }
}
