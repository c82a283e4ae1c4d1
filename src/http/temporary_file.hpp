#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace corbel {

struct save_options;

/// A file without a name, for its owner's eyes alone: it is gone when this is, or the process, whatever
/// happens. Every function blocks, and throws std::system_error.
class temporary_file {
 public:
  /// In a directory that exists; an empty one stands for TMPDIR, or /tmp.
  explicit temporary_file(const std::string& directory);
  ~temporary_file();
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  void append(std::string_view bytes);
  /// Fewer bytes than `most` only at the end.
  std::string read(std::uint64_t offset, std::size_t most) const;

  /// Gives the file a name, by a link or by a copy where none can be made. It may be called again.
  void save_as(const std::string& path, const save_options& how) const;

 private:
  int fd_;
  bool can_link_;
  mutable bool linked_ = false;
};

/// Writes a new file at `path`, which appears there complete or not at all.
void save_bytes(std::string_view bytes, const std::string& path, const save_options& how);

}  // namespace corbel
