#include "corbel/runtime/readiness.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <system_error>
#include <vector>

using corbel::interest;
using corbel::readiness;
using corbel::readiness_set;

namespace {

struct pair_of_sockets {
  int ours = -1;
  int theirs = -1;
  pair_of_sockets() {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both) == 0);
    ours = both[0];
    theirs = both[1];
  }
  ~pair_of_sockets() {
    ::close(ours);
    if (theirs >= 0) ::close(theirs);
  }
  pair_of_sockets(const pair_of_sockets&) = delete;
  pair_of_sockets& operator=(const pair_of_sockets&) = delete;
  void say() { REQUIRE(::send(theirs, "x", 1, 0) == 1); }
  bool hear() {
    char c;
    return ::recv(ours, &c, 1, 0) == 1;
  }
};

struct listener final : corbel::readiness_handler {
  std::function<void(readiness)> act;
  int times = 0;
  void on_ready(readiness what) override {
    ++times;
    if (act) act(what);
  }
};

}  // namespace

TEST_CASE("the context runs for as long as something is watched") {
  boost::asio::io_context context;
  readiness_set set(context);
  pair_of_sockets sockets;
  listener l;
  l.act = [&](readiness what) {
    CHECK(what.readable);
    CHECK_FALSE(what.broken);
    sockets.hear();
    if (l.times == 3) return set.remove(sockets.ours, l);
    sockets.say();
  };
  context.run();  // nothing is watched: returns
  context.restart();
  set.add(sockets.ours, interest::read, l);
  sockets.say();
  context.run();
  CHECK(l.times == 3);
}

TEST_CASE("what is not read is told again; what is not wanted is not told") {
  boost::asio::io_context context;
  readiness_set set(context);
  pair_of_sockets sockets;
  listener l;
  l.act = [&](readiness what) {
    if (l.times == 5) {
      set.change(sockets.ours, interest::write, l);
    } else if (l.times == 6) {
      CHECK(what.writable);
      set.change(sockets.ours, interest::none, l);
      boost::asio::post(context, [&] { set.remove(sockets.ours, l); });
    }
  };
  set.add(sockets.ours, interest::read, l);
  sockets.say();
  context.run();
  CHECK(l.times == 6);
}

TEST_CASE("a hang-up is told even to who wants nothing") {
  boost::asio::io_context context;
  readiness_set set(context);
  pair_of_sockets sockets;
  listener l;
  l.act = [&](readiness what) {
    CHECK(what.broken);
    set.remove(sockets.ours, l);
  };
  set.add(sockets.ours, interest::none, l);
  ::close(std::exchange(sockets.theirs, -1));
  context.run();
  CHECK(l.times == 1);
}

TEST_CASE("a handler may remove and destroy the others of its batch, and add new ones") {
  boost::asio::io_context context;
  readiness_set set(context);
  std::vector<std::unique_ptr<pair_of_sockets>> sockets;
  std::vector<std::unique_ptr<listener>> all;
  int rang = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    sockets.push_back(std::make_unique<pair_of_sockets>());
    all.push_back(std::make_unique<listener>());
    all[i]->act = [&, i](readiness) {
      ++rang;
      for (std::size_t k = 0; k < all.size(); ++k)
        if (k != i && all[k]) {
          set.remove(sockets[k]->ours, *all[k]);
          all[k].reset();
        }
      set.remove(sockets[i]->ours, *all[i]);
    };
    set.add(sockets[i]->ours, interest::read, *all[i]);
    sockets[i]->say();
  }
  context.run();
  CHECK(rang == 1);
}

TEST_CASE("watching again after nothing was watched works, whatever is still on its way") {
  boost::asio::io_context context;
  readiness_set set(context);
  pair_of_sockets sockets;
  listener l;
  l.act = [&](readiness) {
    sockets.hear();
    set.remove(sockets.ours, l);
  };
  for (int round = 1; round <= 50; ++round) {
    set.add(sockets.ours, interest::read, l);
    sockets.say();
    if (round % 3 == 0) context.poll_one();  // the wait may be over, and its completion queued
    if (round % 2) {
      set.remove(sockets.ours, l);
      set.add(sockets.ours, interest::read, l);
    }
    context.restart();
    context.run();
    REQUIRE(l.times >= round / 2);
    sockets.hear();
  }
}

TEST_CASE("a set may go while it is watched") {
  boost::asio::io_context context;
  pair_of_sockets sockets;
  listener l;
  {
    readiness_set set(context);
    set.add(sockets.ours, interest::read, l);
    sockets.say();
  }
  context.run();
  CHECK(l.times == 0);
}

TEST_CASE("what cannot be watched is refused") {
  boost::asio::io_context context;
  readiness_set set(context);
  listener l;
  CHECK_THROWS_AS(set.add(-1, interest::read, l), std::system_error);
  pair_of_sockets sockets;
  set.add(sockets.ours, interest::read, l);
  CHECK_THROWS_AS(set.add(sockets.ours, interest::read, l), std::system_error);
  set.remove(sockets.ours, l);
  set.remove(sockets.ours, l);
  context.run();
}
