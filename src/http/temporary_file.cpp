#include "http/temporary_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "corbel/base/uuid.hpp"
#include "corbel/http/upload.hpp"

namespace corbel {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string default_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named && *named ? named : "/tmp";
}

struct opened {
  int fd;
  bool can_link;
};

/// Only Linux has files that are born nameless, and not on every file system: elsewhere the name is removed
/// at once, and such a file cannot be given another.
opened open_nameless(const std::string& directory) {
#ifdef O_TMPFILE
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd >= 0) return {fd, true};
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
    fail("a temporary file in " + directory + " cannot be made");
#endif
  std::string name = directory + "/corbel-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) fail("a temporary file in " + directory + " cannot be made");
  ::unlink(name.c_str());
  return {named, false};
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("writing a file failed");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void finish(int fd, const save_options& how) {
  if (::fchmod(fd, static_cast<mode_t>(how.mode)) != 0) fail("the mode of a file cannot be set");
  if (how.sync && ::fsync(fd) != 0) fail("a file cannot be synchronised");
}

/// A link to a nameless file. `linkat` never replaces, so replacing goes by a second name and a rename.
bool link_nameless(int fd, const std::string& path, const save_options& how) {
  const auto source = "/proc/self/fd/" + std::to_string(fd);
  const auto link_at = [&](const std::string& to) {
    return ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (!how.overwrite) return link_at(path);
  const auto beside = path + "." + to_text(uuid::v7());
  if (!link_at(beside)) return false;
  if (::rename(beside.c_str(), path.c_str()) == 0) return true;
  const int why = errno;
  ::unlink(beside.c_str());
  errno = why;
  return false;
}

/// A named file beside `path` that becomes `path`, or goes away.
class file_beside {
 public:
  explicit file_beside(const std::string& path) : path_(path), name_(path + ".XXXXXX") {
    fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (fd_ < 0) fail("a file beside " + path + " cannot be made");
  }
  ~file_beside() {
    if (!name_.empty()) ::unlink(name_.c_str());
    ::close(fd_);
  }
  file_beside(const file_beside&) = delete;
  file_beside& operator=(const file_beside&) = delete;

  int fd() const noexcept { return fd_; }
  void settle(const save_options& how) {
    finish(fd_, how);
    if (how.overwrite ? ::rename(name_.c_str(), path_.c_str()) != 0
                      : ::link(name_.c_str(), path_.c_str()) != 0)
      fail("a file cannot be saved as " + path_);
    if (how.overwrite) name_.clear();
  }

 private:
  const std::string path_;
  std::string name_;
  int fd_;
};

void sync_directory(const std::string& path, const save_options& how) {
  if (!how.sync) return;
  const int fd = ::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("the directory of " + path + " cannot be opened");
  const int done = ::fsync(fd);
  const int why = errno;
  ::close(fd);
  errno = why;
  if (done != 0) fail("the directory of " + path + " cannot be synchronised");
}

}  // namespace

temporary_file::temporary_file(const std::string& directory) {
  const auto made = open_nameless(directory.empty() ? default_directory() : directory);
  fd_ = made.fd;
  can_link_ = made.can_link;
}

temporary_file::~temporary_file() {
  ::close(fd_);
}

void temporary_file::append(std::string_view bytes) {
  write_all(fd_, bytes);
}

std::string temporary_file::read(std::uint64_t offset, std::size_t most) const {
  std::string bytes(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const auto n = ::pread(fd_, bytes.data() + size, most - size, static_cast<off_t>(offset + size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("reading a temporary file failed");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  bytes.resize(size);
  return bytes;
}

void temporary_file::save_as(const std::string& path, const save_options& how) const {
  // A second link would make two names of one file: what is written to one would appear in the other.
  if (can_link_ && !linked_) {
    finish(fd_, how);
    if (link_nameless(fd_, path, how)) {
      linked_ = true;
      return sync_directory(path, how);
    }
    if (errno == EEXIST || errno == ENOENT || errno == EACCES || errno == ENOTDIR)
      fail("a file cannot be saved as " + path);
  }
  file_beside copy(path);
  for (std::uint64_t offset = 0;;) {
    const auto bytes = read(offset, 256 * 1024);
    if (bytes.empty()) break;
    write_all(copy.fd(), bytes);
    offset += bytes.size();
  }
  copy.settle(how);
  sync_directory(path, how);
}

void save_bytes(std::string_view bytes, const std::string& path, const save_options& how) {
  file_beside made(path);
  write_all(made.fd(), bytes);
  made.settle(how);
  sync_directory(path, how);
}

}  // namespace corbel
