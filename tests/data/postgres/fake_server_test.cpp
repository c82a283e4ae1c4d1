// A server that does what no server should: the driver says that something is wrong, and in time. It never
// crashes, never waits for ever, and never gives one caller the answer of another.

#include "support/fake_server.hpp"

#include <random>

#include "support/side_by_side.hpp"
#include "support/tasks.hpp"

namespace {

const std::string quick = "connections=1&statement_timeout=300ms&checkout_timeout=1s&connect_timeout=2";

task<void> ask(data::source on, std::optional<int>* got) {
  *got = co_await on.query_one<int>("select 1");
}

/// What came of asking a server that, once asked to prepare, says `says` and then closes or waits.
struct outcome {
  std::optional<int> got;
  std::optional<corbel::error> failed;
};
outcome ask_one_that(std::function<void(fake_server::peer&)> serve, const std::string& options = quick) {
  const fake_server server(std::move(serve));
  const auto db = postgres::open(server.url(options));
  side_by_side all;
  outcome out;
  auto& one = all.start(ask(db, &out.got));
  all.run(5s);
  out.failed = one.failed();
  CHECK((one.thrown != nullptr) == out.failed.has_value());
  db.stop();
  return out;
}

/// Prepares as it should, and answers the statement itself with `says`.
outcome answered_with(const std::string& says, bool closes = false, const std::string& options = quick) {
  const auto serve = [&](fake_server::peer& client) {
    if (!client.read_until('S')) return;
    client.send(say::prepared());
    if (!client.read_until('S')) return;
    client.send(says);
    if (closes) return;
    while (!client.read().empty()) {
    }
  };
  return ask_one_that(serve, options);
}

bool refused(const outcome& out) {
  return out.failed && !out.got &&
         (out.failed->kind() == error_kind::unavailable || out.failed->kind() == error_kind::internal);
}

}  // namespace

TEST_CASE("the fake server can be a good one") {
  const auto out = answered_with(say::answer(42));
  CHECK_FALSE(out.failed);
  CHECK(out.got == 42);
}

TEST_CASE("a server that breaks the protocol is an error for whoever waits") {
  using namespace std::string_literals;
  const std::string wrong[] = {
      "Z\0\0\0\0I"s,                         // a length that cannot be
      "D\xff\xff\xff\xff"s,                  // and one above all limits
      "D\x40\0\0\1"s,                        //
      std::string(1000, '\0'),               //
      std::string(1000, '\xff'),             //
      "HTTP/1.1 400 Bad Request\r\n\r\n"s,   //
      say::message('y', "what is this"),     //
      say::message('D', ""),                 // rows that are none
      say::message('D', "\0\1"s),            //
      say::message('D', "\0\1\0\0\0\xff"s),  //
      say::bound() + say::row({}),           // too few cells, too many
      say::bound() + say::row({"a", "b"}),   //
      say::message('T', "\0\2a"s),           // columns without an end
      say::message('T', "\xff\xff"s),        //
      say::message('C', "SELECT 1"),         // a tag without an end
      say::message('Z', ""),                 //
      say::message('E', "SERROR"),           // a report without an end
      say::message('A', "\0\0"s),            //
      say::bound() + say::row({say::int4(1)}) + say::complete("SELECT 1") + say::complete("SELECT 1") +
          say::ready(),  // two commands in place of one
      say::bound() + say::row({say::int4(1)}) + say::complete("SELECT 1") + say::row({say::int4(1)}) +
          say::ready(),  // a row behind the last
      say::bound() + say::row({say::int4(1)}) + say::complete("SELECT 1") + say::columns({23}) + say::ready(),
      say::message('G', "\0\0\0"s),  // it wants to copy
      say::message('W', "\0\0\0"s),  //
  };
  for (const auto& one : wrong) {
    CAPTURE(one.substr(0, 60));
    for (const bool closes : {false, true}) CHECK(refused(answered_with(one, closes)));
  }
}

TEST_CASE("a server that goes in mid-message is an error at once") {
  const auto whole = say::answer(42);
  for (std::size_t most = 0; most < whole.size(); ++most) {
    CAPTURE(most);
    const auto since = std::chrono::steady_clock::now();
    const auto out = answered_with(whole.substr(0, most), true, quick + "&statement_timeout=20s");
    CHECK(refused(out));
    CHECK(out.failed->kind() == error_kind::unavailable);
    CHECK(std::chrono::steady_clock::now() - since < 4s);
  }
}

TEST_CASE("a server that goes whenever it is to prepare a statement is tried again until checkout_timeout") {
  const auto whole = say::prepared();
  for (std::size_t most = 0; most < whole.size(); most += 3) {
    CAPTURE(most);
    const auto out = ask_one_that(
        [&](fake_server::peer& client) {
          if (client.read_until('S')) client.send(whole.substr(0, most));
        },
        quick + "&checkout_timeout=150ms");
    CHECK(refused(out));
    CHECK(out.failed->kind() == error_kind::unavailable);
  }
}

TEST_CASE("a server that never answers is given up after statement_timeout and a moment") {
  for (const bool prepares : {false, true}) {
    const auto since = std::chrono::steady_clock::now();
    const auto out = prepares ? answered_with("") : ask_one_that([](fake_server::peer& client) {
      while (!client.read().empty()) {
      }
    });
    CHECK(refused(out));
    CHECK(std::chrono::steady_clock::now() - since < 4s);
  }
}

TEST_CASE("values in a form that is none are errors of the value's reader") {
  // One int4 in 3 bytes, in 9, in none; the column itself says it is a float.
  for (const std::string cell : {"abc", "abcdefghi", ""}) {
    const auto out =
        answered_with(say::bound() + say::row({cell}) + say::complete("SELECT 1") + say::ready());
    CAPTURE(cell);
    CHECK(refused(out));
  }
  for (const std::uint32_t type : {700u, 701u, 16u, 21u, 20u, 26u, 17u}) {
    CAPTURE(type);
    const auto out = ask_one_that([&](fake_server::peer& client) {
      if (!client.read_until('S')) return;
      client.send(say::parsed() + say::parameters({}) + say::columns({type}) + say::ready());
      if (!client.read_until('S')) return;
      client.send(say::bound() + say::row({"abc"}) + say::complete("SELECT 1") + say::ready());
    });
    CHECK(refused(out));
  }
}

TEST_CASE("answers that nobody asked for end the connection, and the next one is a fresh one") {
  for (const std::string& unasked : {say::answer(7), say::row({say::int4(7)}), say::complete("SELECT 1"),
                                     say::ready(), say::columns({23}), say::failed("57P01", "FATAL")}) {
    CAPTURE(unasked);
    std::atomic<int> served = 0;
    const fake_server server([&](fake_server::peer& client) {
      if (!client.read_until('S')) return;
      client.send(say::prepared());
      if (!client.read_until('S')) return;
      client.send(say::answer(1));
      if (++served == 1) {
        std::this_thread::sleep_for(20ms);
        client.send(unasked);
      }
      while (!client.read().empty()) {
      }
    });
    const auto db = postgres::open(server.url(quick));
    side_by_side all;
    std::optional<int> got;
    all.start(ask(db, &got));
    all.run(5s);
    CHECK(got == 1);
    all.run_for(60ms);
    got.reset();
    all.start(ask(db, &got));
    all.run(5s);
    CHECK(got == 1);
    CHECK(server.accepted() == 2);
    db.stop();
  }
}

namespace {

/// What BEGIN and the settings of an identity come to.
std::string begun_as_somebody() {
  return say::parsed() + say::bound() + say::complete("BEGIN") + say::parsed() + say::bound() +
         say::message('D', std::string("\0\1\xff\xff\xff\xff", 6)) + say::complete("SELECT 1");
}

/// Prepares a statement under an identity, and undoes what that took; false when the client has gone.
bool prepare_as_somebody(fake_server::peer& client, const std::string& parameters) {
  if (!client.read_until('Q')) return false;
  client.send(begun_as_somebody() + say::parsed() + parameters + say::columns({23}) + say::ready('T') +
              say::complete("ROLLBACK") + say::ready());
  return true;
}

}  // namespace

TEST_CASE("a transaction's pipeline whose answer breaks off in the middle leaves nobody waiting") {
  // Of the batch BEGIN, settings, statement, Sync, COMMIT, Sync the server sees more or less.
  const auto begun = begun_as_somebody() +
                     say::answer(42).substr(0, say::answer(42).size() - say::ready().size()) +
                     say::ready('T');
  const auto committed = say::parsed() + say::bound() + say::complete("COMMIT") + say::ready();
  const auto whole = begun + committed;
  for (std::size_t most = 0; most <= whole.size(); most += 5) {
    CAPTURE(most);
    const fake_server server([&](fake_server::peer& client) {
      if (!prepare_as_somebody(client, say::parameters({}))) return;
      if (!client.read_until('S')) return;
      client.send(whole.substr(0, most));
    });
    const postgres::database db(postgres::open(server.url(quick)));
    side_by_side all;
    std::optional<int> got;
    auto& one = all.start(ask(db.as(postgres::identity().set("app.user", "1")), &got));
    all.run(5s);
    CHECK(one.thrown);
    CHECK_FALSE(got);
    db.stop();
  }
}

TEST_CASE("a server that answers before it was asked, and goes, leaves nobody waiting") {
  const std::string large(30'000'000, 'x');
  const auto begun = begun_as_somebody() + say::bound() + say::complete("SELECT 0") + say::ready('T');
  for (const bool acts : {true, false}) {
    CAPTURE(acts);
    const fake_server server([&](fake_server::peer& client) {
      if (acts) {
        if (!prepare_as_somebody(client, say::parameters({25}))) return;
      } else {
        if (!client.read_until('S')) return;
        client.send(say::parsed() + say::parameters({25}) + say::columns({23}) + say::ready());
      }
      client.send(acts ? begun : say::bound() + say::complete("SELECT 0"));
      std::this_thread::sleep_for(50ms);
    });
    const postgres::database db(postgres::open(server.url(quick)));
    side_by_side all;
    const auto send = [](data::source on, const std::string* text) -> task<void> {
      (void)co_await on.query<int>("select length($1)", *text);
    };
    data::source on = db;
    if (acts) on = db.as(postgres::identity().set("app.user", "1"));
    auto& one = all.start(send(on, &large));
    all.run(5s);
    REQUIRE(one.failed());
    CHECK(one.failed()->kind() == error_kind::unavailable);
    db.stop();
  }
}

TEST_CASE("random bytes break nothing") {
  std::minstd_rand random(20260102);
  const std::string types = "123CDEGHIKNRSTVWZAcdnst";
  for (int round = 0; round < 150; ++round) {
    CAPTURE(round);
    std::string says;
    for (int messages = 0; messages < 12; ++messages) {
      std::string payload;
      for (auto left = random() % 24; left > 0; --left)
        payload += static_cast<char>(random() % 3 == 0 ? random() % 256 : random() % 3);
      says += random() % 4 == 0 ? say::answer(static_cast<std::uint32_t>(random() % 10))
                                : say::message(types[random() % types.size()], payload);
    }
    // No row at all is an answer, too.
    const auto out = answered_with(says, true);
    if (out.failed) CHECK(refused(out));
  }
}

TEST_CASE("each gets his own answer, also when the connection breaks among them") {
  // It answers 0, 1, 2, ... to those who ask for 0, 1, 2, ..., and goes after some of them, in mid-message.
  for (int goes_after = 0; goes_after < 40; goes_after += 3) {
    CAPTURE(goes_after);
    std::atomic<int> connections = 0;
    const fake_server server([&](fake_server::peer& client) {
      const bool dies = connections++ == 0;
      std::string says;
      if (!client.read_until('S')) return;
      client.send(say::parsed() + say::parameters({23}) + say::columns({23}) + say::ready());
      for (;;) {
        const auto asked = client.read();
        if (asked.empty()) return;
        // Bind's only value: "\0\1" values, then its length and text.
        for (std::size_t at = 0; (at = asked.find("B\0", at)) != asked.npos; ++at) {
          // B, length, portal "", name "cN\0", formats 0, values 1, length, text.
          std::size_t value = asked.find('\0', at + 6) + 1 + 4;
          if (value + 4 > asked.size()) continue;
          const auto digits = static_cast<std::size_t>(static_cast<unsigned char>(asked[value + 3]));
          const auto text = asked.substr(value + 4, digits);
          if (text.empty() || text.find_first_not_of("0123456789") != text.npos) continue;
          says += say::answer(static_cast<std::uint32_t>(std::stoul(text)));
        }
        if (dies && static_cast<int>(says.size()) > goes_after * 17) {
          client.send(std::string_view(says).substr(0, static_cast<std::size_t>(goes_after) * 17));
          return;
        }
        client.send(says);
        says.clear();
      }
    });
    const auto db = postgres::open(server.url(quick));
    side_by_side all;
    int wrong = 0;
    const auto ask_for = [](data::source on, int n, int* mistaken) -> task<void> {
      const auto got = co_await on.query_one<int>("select $1", n);
      if (got != n) ++*mistaken;
    };
    for (int n = 0; n < 40; ++n) all.start(ask_for(db, n, &wrong));
    all.run(5s);
    CHECK(wrong == 0);
    for (const auto& each : all.all()) {
      const auto failed = each.failed();
      CHECK((!each.thrown || (failed && failed->kind() == error_kind::unavailable)));
    }
    db.stop();
  }
}
