// What a database URL says, and what is never said of it.

#include <array>

#include "data/postgres/link.hpp"
#include "support/tasks.hpp"

namespace {

/// The failure of opening it, or of connecting by it.
std::optional<corbel::error> failure_by(const std::string& connection) {
  try {
    const auto db = postgres::open(connection);
    run(db.ping());
    db.stop();
  } catch (const corbel::failure& f) {
    return f.error();
  }
  return {};
}

/// The value of a keyword in the form that `conninfo_of` has.
std::string value_in(const std::string& conninfo, const std::string& keyword) {
  const auto at = (" " + conninfo).find(" " + keyword + "='");
  if (at == std::string::npos) return "none";
  const auto from = at + keyword.size() + 2;
  return conninfo.substr(from, conninfo.find('\'', from) - from);
}

}  // namespace

TEST_CASE("a URL that cannot be read is refused without a word of the password in it") {
  struct one {
    const char* url;
    const char* says;
  };
  const std::array<one, 8> all{{
      {"postgres://app:50%secret@127.0.0.1:1/app", "hexadecimal digits"},
      {"postgres://app:secret@[::1/app", "lacks its \"]\""},
      {"postgres://app:secret@[::1]secret/app", "follows the \"]\""},
      {"postgres://app:mine?secret@127.0.0.1:1/app", "port in it is no number"},
      {"postgres://app:mine@secret@127.0.0.1:1/app", "has an \"@\""},
      {"postgres://app:secret/more@127.0.0.1:1/app", "has an \"@\""},
      {"postgres://app:secret/app", "port in it is no number"},
      {"postgres://app@127.0.0.1:1/app?secret=1", "libpq does not know"},
  }};
  for (const auto& each : all) {
    CAPTURE(std::string(each.url));
    const auto failed = failure_by(each.url);
    REQUIRE(failed);
    CHECK(failed->code() == "bad_database_url");
    CHECK(contains(failed->message(), each.says));
    CHECK_FALSE(contains(failed->message(), "secret"));
    CHECK_FALSE(contains(failed->cause(), "secret"));
  }
  for (const auto* words :
       {"host=127.0.0.1 port=1 password=my secret", "password='my secret", "host=h secret=1"}) {
    CAPTURE(words);
    postgres::options how;
    how.connection = words;
    std::string said;
    try {
      (void)postgres::open(how);
    } catch (const corbel::failure& f) {
      said = f.error().message() + f.error().cause();
    }
    CHECK(contains(said, "cannot be read"));
    CHECK_FALSE(contains(said, "secret"));
  }
}

TEST_CASE("the option that was meant is told, not the one that was written") {
  for (const auto& [written, meant] : {std::pair{"conections=4", "\"connections\" was meant"},
                                       {"sslmod=require", "\"sslmode\" was meant"},
                                       {"slow-query=1s", "\"slow_query\" was meant"}}) {
    CAPTURE(written);
    const auto failed = failure_by(std::string("postgres://app@127.0.0.1:1/app?") + written);
    REQUIRE(failed);
    CHECK(contains(failed->message(), meant));
    CHECK_FALSE(contains(failed->message(), written));
  }
}

TEST_CASE("a URL that is right stays so") {
  for (const auto* url :
       {"postgres://app:p%40ss%2Fw%3Ard@[::1]:5433,b:1/app?user=app@tenant",
        "postgresql:///app?host=/run/postgresql", "postgres://", "postgres://a:1,b,c:3/app"}) {
    CAPTURE(url);
    CHECK_NOTHROW((void)postgres::open(url));
  }
}

TEST_CASE("a replica has its own place, whatever hosts, addresses and ports the URL names") {
  auto how = postgres::parse_url("postgres://app@a:1,b:2/app?hostaddr=10.0.0.1,10.0.0.2").value();
  CHECK(value_in(postgres::conninfo_of(how), "host") == "a,b");
  CHECK(value_in(postgres::conninfo_of(how), "hostaddr") == "10.0.0.1,10.0.0.2");
  how.place = "c:7";
  CHECK(value_in(postgres::conninfo_of(how), "host") == "c");
  CHECK(value_in(postgres::conninfo_of(how), "port") == "7");
  CHECK(value_in(postgres::conninfo_of(how), "hostaddr") == "none");
  CHECK(value_in(postgres::conninfo_of(how), "dbname") == "app");
  how.place = "c";
  CHECK(value_in(postgres::conninfo_of(how), "port") == "none");
}

TEST_CASE("a place is what is connected to") {
  const temporary_postgres own;
  const auto scheme = own.url().find("://") + 3;
  const auto at = own.url().find('@');
  const auto slash = own.url().find('/', scheme);
  auto how = postgres::parse_url(own.url()).value();
  how.place = own.url().substr(at + 1, slash - at - 1);
  // Nobody is there.
  how.connection = own.url().substr(0, at + 1) + "127.0.0.1:1,127.0.0.1:2" + own.url().substr(slash) +
                   "?hostaddr=127.0.0.1,127.0.0.1";
  const auto db = postgres::open(how);
  run(db.ping());
  db.stop();
}
