#pragma once

#include <functional>
#include <optional>

#include "data/migration_history.hpp"

namespace corbel::data::detail {

/// What one turn under the lock did: one migration, or nothing as none was left; or nothing yet, as the next
/// file needs the lock in the other way.
struct turn {
  std::optional<migration> done;
  bool other_use = false;
};

inline transaction_use other(transaction_use use) {
  return use == transaction_use::migrate ? transaction_use::migrate_bare : transaction_use::migrate;
}

/// Takes turns until none is left. `take(use)` is a plain function that gives a task of `result<turn>`.
template <class Take>
task<result<std::vector<migration>>> take_turns(Take take) {
  std::vector<migration> all;
  for (auto use = transaction_use::migrate;;) {
    auto taken = co_await take(use);
    if (!taken) co_return std::move(taken).error();
    if (taken->other_use)
      use = other(use);
    else if (!taken->done)
      co_return all;
    else
      all.push_back(std::move(*taken->done));
  }
}

}  // namespace corbel::data::detail
