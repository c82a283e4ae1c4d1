#include "data/sqlite/migration_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "corbel/base/error.hpp"

namespace corbel::sqlite {

using namespace std::chrono_literals;

migration_lock::migration_lock(std::string path, std::chrono::milliseconds patience, const abandonment* gone)
    : path_(std::move(path)) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!try_once()) {
    if (gone && gone->requested())
      throw failure(error{error_kind::deadline_exceeded, "cancelled", "The work was cancelled."});
    if (std::chrono::steady_clock::now() > give_up)
      throw failure(unavailable("Another process migrates the database.", "database_busy")
                        .because("another process has held the lock \"" + path_ + "\" for " +
                                 std::to_string(patience.count()) + " ms: it runs migrations"));
    std::this_thread::sleep_for(10ms);
  }
}

bool migration_lock::try_once() {
  const int opened = ::open(path_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (opened < 0)
    throw failure(error{error_kind::unavailable, "database_unavailable",
                        "The lock of migrations \"" + path_ + "\" cannot be made (" +
                            std::generic_category().message(errno) +
                            "). Check that this program may write the folder."});
  struct stat mine = {};
  struct stat there = {};
  // The one before removes the file as it goes: a lock on what has no name any more excludes nobody.
  if (::flock(opened, LOCK_EX | LOCK_NB) == 0 && ::fstat(opened, &mine) == 0 &&
      ::stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) {
    descriptor_ = opened;
    return true;
  }
  ::close(opened);
  return false;
}

migration_lock::~migration_lock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace corbel::sqlite
