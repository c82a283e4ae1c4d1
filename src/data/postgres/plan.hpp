#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/postgres/columns.hpp"

namespace corbel::postgres {

/// What the first words of a statement tell.
struct statement_kind {
  bool controls_transaction = false;  ///< BEGIN, COMMIT, ...: the library's own business
  bool controls_savepoint = false;
  bool leaves_state = false;  ///< may leave something on its session: SET, LISTEN, an advisory lock, ...
  bool only_reads = false;
  bool locks = false;  ///< rows that it reads, until its transaction ends
};
statement_kind classify(std::string_view sql);

/// A statement that one connection knows.
struct plan {
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
using plan_ptr = std::shared_ptr<plan>;

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
