#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <string>

#include "corbel/runtime/event_loop.hpp"
#include "data/postgres/connection.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using namespace corbel;
using postgres::call;
using postgres::call_ptr;
using postgres::connection;

/// A pool of one connection.
struct owner final : postgres::connection_owner {
  void on_done(call_ptr ended) override {
    fuzz::demand(ended->done() || ended->abandoned, "a call ended without an outcome");
    ++done;
    read(*ended);
  }
  void on_returned(call_ptr) override { ++returned; }
  void on_progress(connection&) override {}
  void on_broken(connection&, std::vector<call_ptr> unsent, const std::string& why) override {
    fuzz::demand(!why.empty(), "a connection broke without a word");
    returned += unsent.size();
    broken = true;
  }
  void on_unsent(connection&) override {}
  void cancel_on_server(connection&) override {}
  void on_notification(connection&, std::string_view, std::string_view) override {}

  /// Every value of every row can be asked for.
  static void read(const call& ended) {
    if (!ended.result) return;
    const auto& rows = *ended.result;
    for (std::size_t row = 0; row < rows.row_count(); ++row)
      for (std::size_t column = 0; column < rows.column_count(); ++column) try {
          (void)rows.column_name(column);
          (void)rows.at(row, column);
        } catch (const failure&) {
        }
  }

  std::size_t done = 0;
  std::size_t returned = 0;
  bool broken = false;
};

/// What makes the connection expect answers of each kind.
std::size_t ask(connection& on, std::size_t how) {
  const auto plain = [](const char* sql) { return call_ptr(new call(data::statement(sql, {}))); };
  switch (how) {
    case 0: break;
    case 1: {
      on.submit(plain("select 1"));
      on.submit(plain("insert into t values (1)"));
      return 2;
    }
    case 2: {
      const auto acting = plain("select 2");
      acting->before.push_back({"BEGIN", {}});
      acting->commit_behind = true;
      on.submit(acting);
      return 1;
    }
    case 3: on.control("ROLLBACK"); return 0;
    default: {
      const auto script = plain("create table t (n int); select 1");
      script->script = true;
      on.submit(script);
      return 1;
    }
  }
  return 0;
}

/// "select 1" prepared, and run until it is known as quick.
constexpr std::string_view prepared(
    "1\0\0\0\4t\0\0\0\6\0\0T\0\0\0\x1a\0\1n\0\0\0\0\0\0\0\0\0\0\x17\0\4\xff\xff\xff\xff\0\1Z\0\0\0\5I", 45);
constexpr std::string_view answered("2\0\0\0\4D\0\0\0\x0e\0\1\0\0\0\4\0\0\0\1C\0\0\0\x0dSELECT 1\0Z\0\0\0\5I",
                                    40);

}  // namespace

/// Whatever a server says, every call ends once: with an answer, an error, or unsent.
void fuzz::postgres_answers(std::string_view input) {
  static event_loop& loop = *new event_loop;  // never destroyed, as in connection.cpp
  static const postgres::options how;
  int ends[2];
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "no socket pair");
  owner home;
  std::size_t asked = 0;
  {
    postgres::connection under_test(loop, home, how, postgres::link::over(ends[0]));
    const auto turn = [&] {
      under_test.flush();
      auto& context = loop.context();
      context.restart();
      while (context.poll() != 0) {
      }
      char away[4096];
      while (::recv(ends[1], away, sizeof away, 0) > 0) {
      }
    };
    const auto say = [&](std::string_view bytes) {
      (void)::send(ends[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
      turn();
    };
    const auto mode = choice(input, 16);
    if (mode >= 8) {  // several reads behind one Sync
      for (int i = 0; i < 2; ++i) {
        asked += 1;
        under_test.submit(call_ptr(new call(data::statement("select 1", {}))));
        if (i == 0) say(prepared);
        turn();
        say(answered);
      }
      demand(home.done == 2, "the greeting of this target is wrong");
      for (int i = 0; i < 3; ++i) {
        asked += 1;
        under_test.submit(call_ptr(new call(data::statement("select 1", {}))));
      }
      turn();
    }
    if (mode % 2 == 1) under_test.reserve();
    if (!home.broken) asked += ask(under_test, mode / 2 % 5);
    turn();
    const std::size_t step = 1 + choice(input, 64) * 4;
    while (!input.empty() && !home.broken) {
      const auto part = input.substr(0, step);
      input.remove_prefix(part.size());
      say(part);
    }
    if (!home.broken) under_test.break_off("the end of the input");
    turn();
  }
  ::close(ends[1]);
  demand(home.done + home.returned == asked, "a call did not end, or ended twice");
}
