#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/result.hpp>
#include <corbel/data/database.hpp>
#include <corbel/observe/log.hpp>

/// Postgres behind `corbel::data`: link `corbel::postgres`.
///
/// Statements run on the event loop that asks, over a few connections of that loop: many travel on one
/// connection at a time, each in a transaction of its own, and none waits for another's answer. Nothing
/// blocks a loop. A coroutine that uses it runs on a `boost::asio::io_context` with one thread.
namespace corbel::postgres {

struct options {
  /// What libpq connects by: a `postgres://` URL or "host=... dbname=...", without the settings below.
  std::string connection;

  /// Servers that follow the one above, as "host" or "host:port": the same database, user and settings. Reads
  /// go there when they are asked to (`database::replicas`).
  std::vector<std::string> replicas;
  /// Where to connect to, as "host:port", in place of what `connection` says; empty for that.
  std::string place;

  /// Connections of each thread: 1 to 256. They are opened when they are needed.
  std::size_t connections = 4;
  /// Statements on one connection at a time: 1 to 1024. More keep the connection busy, and make all of them
  /// wait for a slow one among them.
  std::size_t pipeline = 64;
  /// Statements of one thread that may wait for a connection; the next one is `unavailable` at once.
  std::size_t most_waiting = 10'000;
  /// How long a statement or a transaction waits for a connection before it is `unavailable`.
  std::chrono::milliseconds checkout_timeout{5000};
  /// How long connecting may take, for each host of several; whole seconds, at least 2.
  std::chrono::milliseconds connect_timeout{5000};
  /// How long one statement may run before the server stops it (57014); 0 for as long as it takes.
  std::chrono::milliseconds statement_timeout{30'000};
  /// How long a transaction may do nothing before the server ends it; 0 for as long as it likes.
  std::chrono::milliseconds idle_in_transaction_timeout{60'000};
  /// How long a connection is used before it is replaced, give or take a tenth; 0 for ever.
  std::chrono::milliseconds max_lifetime{1'800'000};
  /// Prepared statements that each connection keeps.
  std::size_t statement_cache = 256;
  /// Rows of one result, in bytes: more is an internal error.
  std::size_t most_result = std::size_t{256} << 20;
  /// A pooler such as PgBouncer stands in between and gives every transaction another connection
  /// (`pool_mode = transaction`): nothing may be kept on a session, statements are parsed every time.
  bool transaction_pooler = false;
  /// Threads for what blocks: as many for connecting, and as many for `with_connection` and COPY. 1 to 64.
  std::size_t threads = 4;
  /// Statements that ran for longer are written to `log`, with their SQL and, at most once a second and only
  /// when a connection is idle, the plan that the server has for them; never with values. 0 for none. A
  /// URL that has it is opened with a log, or not at all.
  std::chrono::milliseconds slow_query{0};
  logger log{};
};

/// Reads `postgres://user:password@host:5432/name?sslmode=verify-full` as libpq has it ("Connection URIs":
/// several hosts, `target_session_attrs`, TLS modes, ...), with any of
/// `replicas=host2:5432,host3:5432`, `connections=4`, `pipeline=64`,
/// `most_waiting=10000`, `checkout_timeout=5s`, `statement_timeout=30s`, `idle_in_transaction_timeout=60s`,
/// `max_lifetime=30m`, `statement_cache=256`, `most_result=268435456`, `pooler=transaction`, `threads=4`,
/// `slow_query=200ms` besides. Durations are numbers with ms, s or m; libpq's `connect_timeout` is a number
/// of seconds. The error says what is allowed.
result<options> parse_url(std::string_view url);

/// A database whose connections are opened when they are needed: a server that is not there is found by the
/// first statement, or by `ping`. Throws `failure`, with a message for the operator, when the options cannot
/// be.
data::database open(options how);
data::database open(std::string_view url);
data::database open(std::string_view url, const logger& log);

/// For `data::connect(url, {postgres::driver()})`; takes `postgres://` and `postgresql://`.
data::driver driver();

}  // namespace corbel::postgres
