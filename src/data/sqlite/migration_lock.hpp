#pragma once

#include <chrono>
#include <string>

#include "corbel/runtime/blocking_pool.hpp"

namespace corbel::sqlite {

/// What runners of migrations on one file take turns by, in this process and others: a lock on a file of its
/// own, which the kernel releases when a process dies. SQLite's own locks end with each statement of a
/// migration that runs without a transaction; and closing a second descriptor of the database file, as a lock
/// on that would need, releases the locks that SQLite has on it.
class migration_lock {
 public:
  /// Waits its turn. Throws `failure`: unavailable after `patience` or when the lock's file cannot be made.
  migration_lock(std::string path, std::chrono::milliseconds patience, const abandonment* gone);
  ~migration_lock();
  migration_lock(const migration_lock&) = delete;
  migration_lock& operator=(const migration_lock&) = delete;

 private:
  bool try_once();

  const std::string path_;
  int descriptor_ = -1;
};

}  // namespace corbel::sqlite
