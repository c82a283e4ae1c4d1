#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "processes.hpp"

namespace own {

/// A disk with room until it is told to have none, for the servers that run with its environment.
class full_disk {
 public:
  full_disk() {
    // Whoever runs the servers may not be let into the folder of the build.
    std::filesystem::copy_file(FULL_DISK_LIBRARY, library());
    std::filesystem::permissions(library(), std::filesystem::perms::all);
  }

  std::vector<std::string> environment() const {
    return {"LD_PRELOAD=" + library(), "CORBEL_TEST_FULL_DISK=" + link()};
  }
  /// Nothing is written to files of this folder any more: "base" has the tables, "pg_wal" the log.
  /// "pg_wal/sync" fails when what was written is to reach the disk.
  void fill(const std::string& folder) const { std::filesystem::create_symlink(folder, link()); }
  void make_room() const { std::filesystem::remove(link()); }

 private:
  std::string library() const { return folder_.path() + "/full_disk.so"; }
  std::string link() const { return folder_.path() + "/full"; }

  const folder folder_;
};

}  // namespace own
