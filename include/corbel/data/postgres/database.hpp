#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <vector>

#include <corbel/data/database.hpp>
#include <corbel/data/postgres/identity.hpp>
#include <corbel/data/postgres/notifications.hpp>

namespace corbel::postgres {

class backend;

/// A database that is Postgres, with what only Postgres can do. A cheap handle to the same connections.
class database : public data::database {
 public:
  /// Throws `failure`, with a message for the operator, when `any` is another kind of database. Make it where
  /// the program is put together: then what needs Postgres is found at the start.
  explicit database(const data::database& any);

  /// A source that acts as `who`: each statement runs in a transaction of its own that begins with the
  /// identity's settings (`SET LOCAL`), in one batch with them, so that it never runs without; `transact` and
  /// `begin` set them in the same way. What a policy refuses is `forbidden`.
  data::source as(identity who) const;

  /// Listens to these channels: `auto orders = co_await pg.listen("orders", "refunds");`. When this has
  /// ended, nothing said from then on is missed without a word. A name is taken as it is, with its case and
  /// its blanks. Throws `failure`: unavailable when it cannot begin within `checkout_timeout`, invalid behind
  /// a transaction pooler and for names that cannot be.
  template <std::convertible_to<std::string>... Channels>
  task<notification_stream> listen(const Channels&... channels) const {
    return listen(std::vector<std::string>{std::string(channels)...}, 1024);
  }
  /// A stream that has `most_buffered` notifications to give drops what comes, and says so.
  task<notification_stream> listen(std::vector<std::string> channels, std::size_t most_buffered = 1024) const;

  /// `postgres::notify` on this database, at once; for a transaction, call that one.
  task<void> notify(std::string channel, std::string payload = {}) const;

  /// Runs `fn(connection, args...)`, code that uses libpqxx, on a thread of its own and gives what it gives:
  /// `co_await pg.with_connection(&monthly_report, 2026)`. To call it, include
  /// `corbel/data/postgres/pqxx.hpp` and link libpqxx. `fn` gets a `pqxx::connection&` for itself, with the
  /// settings of every session of ours; when it has ended, what it left on the session is gone. At most
  /// `threads` run at a time, others wait for `checkout_timeout`. What libpqxx throws becomes the error that
  /// the driver would have given.
  ///
  /// Cancelling ends the wait at once and stops the SQL; `fn` then meets a broken connection. A lambda that
  /// captures is named first: GCC 12 destroys it twice when it stands in the `co_await`.
  template <class F, class... Args>
  auto with_connection(F fn, Args... args) const;

  /// For Corbel's own use.
  postgres::backend& internals() const noexcept { return *backend_; }

 private:
  std::shared_ptr<postgres::backend> backend_;
};

}  // namespace corbel::postgres
