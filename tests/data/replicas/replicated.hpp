#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "../expect.hpp"
#include "corbel/data/postgres/database.hpp"
#include "corbel/data/postgres/postgres.hpp"
#include "corbel/testing/postgres.hpp"
#include "corbel/testing/run.hpp"
#include "data/postgres/support/own_server.hpp"

namespace asio = boost::asio;
namespace data = corbel::data;
namespace postgres = corbel::postgres;
using corbel::task;
using corbel::testing::run;
using corbel::testing::temporary_postgres;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

inline task<void> sleep(std::chrono::milliseconds span) {
  asio::steady_timer timer(co_await asio::this_coro::executor, span);
  co_await timer.async_wait(asio::use_awaitable);
}

/// The port that answered; 0 for the primary.
inline task<int> who_answers(data::source from) {
  co_return (
      co_await from.query_one<int>("select case when pg_is_in_recovery() then inet_server_port() else 0 end"))
      .value_or(-1);
}

/// Waits until `reads` is answered by `port`; false when it is not, within five seconds.
inline task<bool> comes_to(data::source reads, int port) {
  const auto give_up = steady::now() + 60s;  // a busy machine may take its time
  for (;;) {
    const auto who = co_await who_answers(reads);
    if (who == port) co_return true;
    if (steady::now() > give_up) co_return false;
    co_await sleep(20ms);
  }
}

/// A hot standby of the server that CORBEL_TEST_POSTGRES_URL names.
inline own::server_options of_the_tests_server() {
  const auto primary = temporary_postgres::server();
  REQUIRE_MESSAGE(!primary.empty(), "no CORBEL_TEST_POSTGRES_URL: scripts/test starts a server for it");
  return {.primary = primary};
}

/// `url` with other hosts.
inline std::string at_hosts(const std::string& url, const std::string& hosts) {
  const auto at = url.find('@', url.find("://")) + 1;
  return url.substr(0, at) + hosts + url.substr(url.find('/', at));
}
/// The hosts of `url`.
inline std::string hosts_of(const std::string& url) {
  const auto at = url.find('@', url.find("://")) + 1;
  return url.substr(at, url.find('/', at) - at);
}

/// A database on the primary, with these replicas.
struct replicated {
  explicit replicated(const std::vector<const own::server*>& servers)
      : own(), db(postgres::open(own.url() + options(servers))), pg(db) {}
  ~replicated() { db.stop(); }

  static std::string options(const std::vector<const own::server*>& servers) {
    std::string list;
    for (const auto* one : servers) list += (list.empty() ? "?replicas=" : ",") + one->place();
    return list;
  }

  corbel::testing::temporary_postgres own;
  data::database db;
  postgres::database pg;
};
