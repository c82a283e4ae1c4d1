#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace corbel::file_access {

/// A descriptor that closes itself.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor();
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

enum class found : std::uint8_t {
  file,       ///< a regular file, open for reading
  folder,     ///< a folder, not open
  nothing,    ///< neither, or nothing that may be read; not there at all
  may_block,  ///< cannot be said without waiting for a disk
  exhausted,  ///< no descriptor or memory is left
};

struct opened {
  found what = found::nothing;
  descriptor file;
  struct stat facts {};
};

enum class patience : bool { none, any };

/// The root folder of what is served, and the one way to open something beneath it.
class root_folder {
 public:
  /// Throws std::system_error.
  root_folder(const std::string& path, bool follow_links);

  /// `path` is relative and passed `is_servable`. With `patience::none` it answers from what the kernel has
  /// in memory. Thread-safe.
  opened open(const std::string& path, patience how) const;

  /// For tests: walks the path part by part, as is done where the kernel has no openat2 (before 5.6, or
  /// forbidden).
  void walk_always() { kernel_resolves_ = false; }

 private:
  int resolve(const char* path, patience how) const;
  int walk(const std::string& path) const;

  descriptor root_;
  bool follow_links_;
  bool kernel_resolves_ = true;
  bool kernel_caches_ = true;
};

/// Whether a client may ask for this path at all: relative, no empty part, none that begins with a dot
/// (unless `dot_files`, and then neither "." nor ".."), no backslash, no control character, no part over 255
/// bytes. The empty path is the folder itself, and a '/' may stand at the end.
bool is_servable(std::string_view path, bool dot_files) noexcept;

/// Whether two looks at one file saw the same content, as far as times and size tell.
bool is_same(const struct stat& a, const struct stat& b) noexcept;

}  // namespace corbel::file_access
