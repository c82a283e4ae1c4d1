#pragma once

#include <memory>

#include <corbel/data/database.hpp>
#include <corbel/data/postgres/identity.hpp>
#include <corbel/data/postgres/replicas.hpp>

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

  /// A source for reads that may be a little old. Each goes to a replica that `policy` allows, in turn; when
  /// one is lost, its reads go to the next at once. Writing there fails. Without replicas
  /// (`options::replicas`) everything goes to the primary.
  data::source replicas(read_policy policy = {}) const;
  /// Where the primary's log is now: await it behind a write, and `replicas({.after = position})` shows that
  /// write to whoever made it.
  task<log_position> position() const;

 private:
  std::shared_ptr<postgres::backend> backend_;
};

}  // namespace corbel::postgres
