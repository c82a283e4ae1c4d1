// A stream of notifications outlives its server's restart, and a network that forgets its connection.

#include "data/postgres/backend.hpp"
#include "data/postgres/notification_hub.hpp"
#include "data/postgres/support/own_server.hpp"
#include "data/postgres/support/proxy.hpp"
#include "data/postgres/support/side_by_side.hpp"
#include "data/postgres/support/tasks.hpp"

namespace {

struct listener {
  std::vector<std::string> heard;
  bool listens = false;
};

/// Never ends by itself.
task<void> listen(postgres::database pg, listener* to) {
  auto stream = co_await pg.listen("c");
  const auto home = co_await pg.internals().here();
  home->notifications()->ping_after = 50ms;
  to->listens = true;
  for (;;) {
    const auto next = co_await stream.next();
    const auto* said = std::get_if<postgres::notification>(&next);
    to->heard.push_back(said ? said->payload : "gap");
  }
}

using strings = std::vector<std::string>;

/// One who listens by one way, and hears what is said by another.
struct listening {
  listening(const std::string& url, const std::string& direct_url)
      : db(postgres::open(url)),
        direct(postgres::open(direct_url)),
        stream(all.start(listen(postgres::database(db), &ear))) {
    REQUIRE(all.run_until([&] { return ear.listens; }));
  }
  ~listening() {
    stream.stop();
    all.run();
    db.stop();
    direct.stop();
  }

  void say(const std::string& what) { run(postgres::database(direct).notify("c", what)); }
  bool hears(const strings& expected, std::chrono::milliseconds most = 30s) {
    return all.run_until([&] { return ear.heard == expected || stream.ended; }, most) && !stream.ended;
  }

  const data::database db;
  const data::database direct;
  listener ear;
  side_by_side all;
  side_by_side::one& stream;
};

}  // namespace

TEST_CASE("a stream outlives the restart of its server, and tells the gap") {
  own::server server;
  server.start();
  listening who(server.url(), server.url());
  who.say("1");
  CHECK(who.hears({"1"}));
  strings expected{"1"};
  for (const int signal : {SIGINT, SIGKILL}) {
    CAPTURE(signal);
    server.stop(signal);
    who.all.run_for(300ms);  // it is away for a while, and asked in vain
    server.start();
    expected.emplace_back("gap");
    REQUIRE(who.all.run_until([&] { return !who.ear.heard.empty() && who.ear.heard.back() == "gap"; }));
    who.say("after");
    expected.emplace_back("after");
    CHECK(who.hears(expected));
  }
}

TEST_CASE("a stream whose connection the network has forgotten listens on another, and tells the gap") {
  const temporary_postgres own;
  proxy between(own.url());
  listening who(between.in(own.url()), own.url());
  who.say("1");
  CHECK(who.hears({"1"}));
  between.forget();
  who.say("lost");
  // Nobody asks anything: it is the hub that finds it, by asking.
  CHECK(who.hears({"1", "gap"}));
  who.say("2");
  CHECK(who.hears({"1", "gap", "2"}));
  CHECK(between.accepted() == 2);
}
