#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <corbel/data/database.hpp>
#include <corbel/data/postgres/copy.hpp>
#include <corbel/data/postgres/identity.hpp>
#include <corbel/data/postgres/notifications.hpp>
#include <corbel/data/postgres/queries.hpp>
#include <corbel/data/postgres/replicas.hpp>
#include <nlohmann/json_fwd.hpp>

namespace corbel::postgres {

class backend;

namespace detail {
task<nlohmann::json> explain_on(data::database on, data::statement what);
}

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

  /// Says `payload` to whoever listens to `channel`, at once. It may have 7999 bytes: store the data and send
  /// its key. Throws `failure` (invalid) when the channel's name or the payload cannot be.
  task<void> notify(std::string channel, std::string payload = {}) const;
  /// The same when `tx`, a transaction of this database, commits, and not if it does not.
  task<void> notify(data::transaction& tx, std::string channel, std::string payload = {}) const;

  /// Runs `fn(connection, args...)`, code that uses libpqxx, on a thread of its own and gives what it gives:
  /// `co_await pg.with_connection(&monthly_report, 2026)`. To call it, include
  /// `corbel/data/postgres/pqxx.hpp` and link libpqxx. `fn` gets a `pqxx::connection&` for itself, with the
  /// settings of every session of ours; when it has ended, what it left on the session is gone. At most
  /// `threads` run at a time, others wait for `checkout_timeout`. What libpqxx throws becomes the error that
  /// the driver would have given.
  ///
  /// Cancelling ends the wait at once and stops the SQL; `fn` then meets a broken connection. g++ 12
  /// refuses a lambda without a name when what it captures has a destructor.
  template <class F, class... Args>
  auto with_connection(F&& fn, Args&&... args) const;

  /// Stores rows of a described class by COPY: all of them or, after an error, none. Columns are the
  /// snake_case of the field names; what a table has besides gets its default. `table` may have its schema in
  /// front, and is quoted. Nothing is set here as `repository` does it: keys and times are those of the rows.
  /// Gives their number. Throws `failure`, a broken constraint among others. Cancelling stops it, and nothing
  /// is stored.
  template <described T>
  task<std::int64_t> copy_in(std::string table, std::vector<T> rows) const {
    const auto kept = std::make_shared<const std::vector<T>>(std::move(rows));
    detail::row_span all;
    all.keep = kept;
    all.type = &type_of<T>();
    all.first = kept->data();
    all.stride = sizeof(T);
    all.count = kept->size();
    return detail::copy_rows_in(backend_, std::move(table), std::move(all));
  }
  /// Rows as text: `copy_in_text("copy people (name, age) from stdin with (format csv, header)")`. No limit
  /// of time holds: it takes as long as the text takes to come.
  task<copy_writer> copy_in_text(data::sql_text<0> sql) const {
    return detail::begin_copy_in(backend_, data::make_statement(sql));
  }

  /// The rows of a query, by COPY, for results that are too large for `query`. It sees the database as it was
  /// when it began, and no limit of time holds. Values travel as literals that the library quotes.
  template <described T, class... Args>
  task<row_stream<T>> copy_out(data::sql_text<sizeof...(Args)> query, const Args&... args) const {
    return detail::stream_rows<T>(backend_, data::make_statement(query, args...));
  }
  /// Rows as text: `copy_out_text("copy (select ... where id = $1) to stdout with (format csv, header)",
  /// id)`.
  template <class... Args>
  task<copy_reader> copy_out_text(data::sql_text<sizeof...(Args)> sql, const Args&... args) const {
    return detail::begin_copy_out(backend_, data::make_statement(sql, args...));
  }

  /// The row with this key, locked until `tx` ends: whoever else would lock or change it waits. `skip` counts
  /// a row that is locked already as not found. `tx` is a transaction of this database.
  template <class T, class K>
  task<result<T>> get_locked(data::transaction& tx, const K& key,
                             locked_rows held = locked_rows::wait) const {
    data::list_query which;
    which.where(data::entity_of<T>().table().key(), key);
    return detail::get_locked<T>(&tx, std::move(which), held);
  }
  /// The first `which.limit` rows of a list that nobody else has locked, locked until `tx` ends: how several
  /// workers share a queue. A worker that dies lets go of its rows.
  template <class T>
  task<std::vector<T>> claim(data::transaction& tx, data::list_query which) const {
    return detail::claim<T>(&tx, std::move(which));
  }

  /// Rows that have the words, the best first. T has a `table`; `what.vector` is a tsvector column of it,
  /// such as `search tsvector generated always as (to_tsvector('english', title || ' ' || body)) stored`,
  /// with a GIN index.
  template <class T>
  task<std::vector<search_hit<T>>> search(text_search what) const {
    return detail::search<T>(*this, std::move(what));
  }

  /// How the server runs this statement, measured: the object of `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`.
  /// The statement does run; what it changes is undone, but for sequences, which have moved on. The plan
  /// holds the values: it is for developers. Include `nlohmann/json.hpp` to use what it gives.
  template <class... Args>
  task<nlohmann::json> explain(data::sql_text<sizeof...(Args)> sql, const Args&... args) const {
    return detail::explain_on(*this, data::make_statement(sql, args...));
  }

  template <described T, class... Args>
  corbel::detail::if_risky<task<row_stream<T>>, Args...> copy_out(data::sql_text<sizeof...(Args)> query,
                                                                  Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return copy_out<T>(query, std::as_const(args)...);
  }
  template <class... Args>
  corbel::detail::if_risky<task<copy_reader>, Args...> copy_out_text(data::sql_text<sizeof...(Args)> sql,
                                                                     Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return copy_out_text(sql, std::as_const(args)...);
  }
  template <class T, corbel::detail::risky_temporary K>
  task<result<T>> get_locked(data::transaction& tx, K&& key, locked_rows held = locked_rows::wait) const {
    corbel::detail::name_it_first<K>();
    return get_locked<T>(tx, std::as_const(key), held);
  }
  template <class... Args>
  corbel::detail::if_risky<task<nlohmann::json>, Args...> explain(data::sql_text<sizeof...(Args)> sql,
                                                                  Args&&... args) const {
    corbel::detail::name_it_first<Args...>();
    return explain(sql, std::as_const(args)...);
  }

  /// Computes a materialized view anew; `view` may have its schema in front, and is quoted. `concurrently`
  /// lets readers go on, and needs a unique index. It may take as long as `statement_timeout`.
  task<void> refresh(std::string view, bool concurrently = false) const;
  /// Refreshes it at once and then every `how.every`, give or take a tenth, until it is cancelled. Of all
  /// processes that do, one does the work: it holds an advisory lock, in a transaction on a connection of its
  /// own besides those of `connections`; when it goes away, another takes over. Never ends by itself, also
  /// not while the database is away.
  task<void> refresh_every(std::string view, refresh_schedule how) const;

  /// Throws `failure`, with a message for the operator that says what to do, when this database lacks the
  /// extension. For the start of a program.
  task<void> require_extension(std::string name) const;
  /// The same for a program without an event loop yet: blocks.
  void require_extension_now(std::string name) const;

  /// For Corbel's own use.
  postgres::backend& internals() const noexcept { return *backend_; }

 private:
  std::shared_ptr<postgres::backend> backend_;
};

}  // namespace corbel::postgres
