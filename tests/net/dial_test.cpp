#include "net/dial.hpp"

#include <doctest/doctest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>
#include <vector>

using namespace corbel;
using net::stream;
using net::tcp;
namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Runs what waits on a context, and gives what it came to.
template <class T>
T wait(asio::io_context& context, task<T> what) {
  std::optional<T> got;
  auto all = [](task<T> one, std::optional<T>* into) -> task<> { into->emplace(co_await std::move(one)); };
  asio::co_spawn(context, all(std::move(what), &got), asio::detached);
  context.restart();
  while (!got && context.run_one() > 0) {
  }
  return std::move(*got);
}

/// A port of this machine that takes connections.
struct listener {
  explicit listener(asio::io_context& context)
      : socket(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  tcp::endpoint at() const { return socket.local_endpoint(); }
  tcp::acceptor socket;
};

tcp::endpoint closed_port(asio::io_context& context) {
  return listener(context).at();
}

net::time_point in(std::chrono::milliseconds span) {
  return net::due_in(span, net::time_point::max());
}

}  // namespace

TEST_CASE("an address that is written out needs no lookup") {
  asio::io_context context;
  const auto v4 = wait(context, net::find_addresses("192.0.2.7", 80, in(1h)));
  REQUIRE(v4);
  CHECK(*v4 == std::vector{tcp::endpoint(asio::ip::make_address("192.0.2.7"), 80)});
  const auto v6 = wait(context, net::find_addresses("2001:db8::1", 443, in(1h)));
  REQUIRE(v6);
  CHECK(v6->front().port() == 443);
}

TEST_CASE("where one address refuses, the next is tried") {
  asio::io_context context;
  listener open(context);
  const auto closed = closed_port(context);
  const auto to = std::make_shared<stream>(context.get_executor());
  const std::vector<tcp::endpoint> all{closed, open.at()};
  const auto done = wait(context, net::connect_to_any(to, all, in(1h)));
  CHECK(done.has_value());
  CHECK(to->peer == "127.0.0.1:" + std::to_string(open.at().port()));
  CHECK(to->quiet());
}

TEST_CASE("where all refuse, the last one's failure is told") {
  asio::io_context context;
  const auto closed = closed_port(context);
  const auto to = std::make_shared<stream>(context.get_executor());
  const auto done = wait(context, net::connect_to_any(to, std::vector(2, closed), in(1h)));
  REQUIRE_FALSE(done);
  CHECK(done.error().code() == "connect_failed");
  const auto none = wait(context, net::connect_to_any(to, {}, in(1h)));
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == "connect_failed");
}

TEST_CASE("a stream reads and writes, and its deadline ends what waits on it") {
  asio::io_context context;
  listener open(context);
  const auto to = std::make_shared<stream>(context.get_executor());
  REQUIRE(wait(context, net::connect_to_any(to, std::vector(1, open.at()), in(1h))));
  tcp::socket peer(context);
  open.socket.accept(peer);
  to->deadline(in(1h), "send");
  bool sent = false;
  REQUIRE(wait(context, to->write("ping", &sent)));
  CHECK(sent);
  std::string heard(4, ' ');
  asio::read(peer, asio::buffer(heard));
  CHECK(heard == "ping");
  asio::write(peer, asio::buffer("pong", 4));
  const auto more = wait(context, to->read_more());
  REQUIRE(more);
  CHECK(*more);
  CHECK(to->unread == "pong");
  to->deadline(in(1ms), "body");
  const auto late = wait(context, to->read_more());
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == "timed_out");
  CHECK(to->expired());
}
