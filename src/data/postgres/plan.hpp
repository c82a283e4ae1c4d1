#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "corbel/data/value.hpp"
#include "data/postgres/columns.hpp"

namespace corbel::postgres {

/// What a statement is, as far as its text tells. What the functions do that it calls, the catalog tells.
struct statement_kind {
  bool controls_transaction = false;  ///< BEGIN, COMMIT, ...: the library's own business
  bool controls_savepoint = false;
  bool leaves_state = false;  ///< may leave something on its session: SET, LISTEN, an advisory lock, ...
  bool only_reads = false;
  bool locks = false;       ///< rows that it reads, until its transaction ends
  bool not_undone = false;  ///< stopped in its middle, a part of it stays: CALL, VACUUM, ... CONCURRENTLY
  bool copies = false;      ///< COPY from or to the client
  /// The names in front of parentheses, without those that are known to do nothing but compute.
  std::vector<std::string> calls;
};
statement_kind classify(std::string_view sql);

/// Asks the catalog for functions of the names `$1`, of whatever schema and arguments, that are volatile:
/// such a one may write (CREATE FUNCTION, "volatility"). No row when there is none; true when one of them is
/// in a language that users write, and may leave something on its session, too.
inline constexpr std::string_view volatile_functions =
    "select bool_or(l.lanname not in ('internal', 'c')) from pg_catalog.pg_proc p "
    "join pg_catalog.pg_language l on l.oid = p.prolang "
    "where p.proname = any($1::name[]) and p.provolatile = 'v' having count(*) > 0";
/// Its parameter.
data::value names_of_calls(const statement_kind& kind);

/// A statement that one connection knows. It lives on the connection's loop.
struct plan : boost::intrusive_ref_counter<plan, boost::thread_unsafe_counter> {
  std::string text;
  std::string name;  ///< on the server; empty where a pooler in between forbids names
  bool ready = false;
  statement_kind kind;
  columns_ptr shape;  ///< null when it gives no rows
  std::vector<wire_format> formats;
  std::vector<std::uint32_t> parameters;
  std::vector<std::uint32_t> user_arrays;  ///< array types among them that were made by users
  bool has_arrays = false;                 ///< whether there is an array among them
  /// How long it usually runs, as a moving average.
  std::chrono::nanoseconds usual{0};

  /// Whether it may share its Sync with others of its kind: quick reads, whose time is known.
  bool may_share() const noexcept {
    return kind.only_reads && !kind.locks && !kind.leaves_state && usual.count() > 0 &&
           usual < std::chrono::milliseconds(1);
  }
};
using plan_ptr = boost::intrusive_ptr<plan>;

/// The statements that a connection knows, the least recently used dropped first.
class plan_cache {
 public:
  explicit plan_cache(std::size_t most) : most_(most) {}

  /// Null when the text is new.
  plan_ptr find(std::string_view text);
  /// Gives the plans that had to make room: the server should forget them, too.
  std::vector<plan_ptr> add(plan_ptr fresh);
  void remove(const plan& old);
  std::size_t size() const noexcept { return recent_.size(); }

 private:
  const std::size_t most_;
  std::list<plan_ptr> recent_;  // most recently used first
  std::unordered_map<std::string_view, std::list<plan_ptr>::iterator> by_text_;
};

}  // namespace corbel::postgres
