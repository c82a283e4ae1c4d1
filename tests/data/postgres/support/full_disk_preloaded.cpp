// Preloaded into a server, this makes its disk full: while the link that CORBEL_TEST_FULL_DISK names is
// there, nothing is written to files below the folder that the link says. `/sync` behind that folder's name
// lets what is written pass, and fails when it is to reach the disk, as file systems do that find room late.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

/// Where a link leads; empty when there is none.
struct target {
  explicit target(const char* link) {
    const auto got = link ? ::readlink(link, room.data(), room.size()) : -1;
    if (got > 0) text = std::string_view(room.data(), static_cast<std::size_t>(got));
  }
  std::array<char, 4096> room{};
  std::string_view text;
};

/// Whether this is a file of the folder that is full. Leaves errno as it was, unless it is.
bool is_full(int descriptor, bool syncing) {
  const int before = errno;
  const target full(std::getenv("CORBEL_TEST_FULL_DISK"));
  auto folder = full.text;
  constexpr std::string_view late = "/sync";
  const bool only_syncing = folder.ends_with(late);
  if (only_syncing) folder.remove_suffix(late.size());
  bool yes = false;
  if (!folder.empty() && syncing == only_syncing) {
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "/proc/self/fd/%d", descriptor);
    const target file(name.data());
    const auto at = file.text.find(folder);
    yes = at != std::string_view::npos && at > 0 && file.text[at - 1] == '/' &&
          file.text.substr(at + folder.size()).starts_with('/');
  }
  errno = yes ? ENOSPC : before;
  return yes;
}

bool grows(int descriptor, off_t length) {
  struct stat now {};
  return ::fstat(descriptor, &now) == 0 && length > now.st_size;
}

/// The function of this name that stands behind ours.
template <class F>
F* next(F*, const char* name) {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* from, size_t size) {
  if (is_full(descriptor, false)) return -1;
  static const auto real = next(&write, "write");
  return real(descriptor, from, size);
}
ssize_t pwrite(int descriptor, const void* from, size_t size, off_t at) {
  if (is_full(descriptor, false)) return -1;
  static const auto real = next(&pwrite, "pwrite");
  return real(descriptor, from, size, at);
}
ssize_t pwritev(int descriptor, const iovec* from, int count, off_t at) {
  if (is_full(descriptor, false)) return -1;
  static const auto real = next(&pwritev, "pwritev");
  return real(descriptor, from, count, at);
}
int fallocate(int descriptor, int mode, off_t at, off_t size) {
  if (is_full(descriptor, false)) return -1;
  static const auto real = next(&fallocate, "fallocate");
  return real(descriptor, mode, at, size);
}
int posix_fallocate(int descriptor, off_t at, off_t size) {
  if (is_full(descriptor, false)) return ENOSPC;
  static const auto real = next(&posix_fallocate, "posix_fallocate");
  return real(descriptor, at, size);
}
int ftruncate(int descriptor, off_t length) noexcept {
  if (grows(descriptor, length) && is_full(descriptor, false)) return -1;
  static const auto real = next(&ftruncate, "ftruncate");
  return real(descriptor, length);
}
int fsync(int descriptor) {
  if (is_full(descriptor, true)) return -1;
  static const auto real = next(&fsync, "fsync");
  return real(descriptor);
}
int fdatasync(int descriptor) {
  if (is_full(descriptor, true)) return -1;
  static const auto real = next(&fdatasync, "fdatasync");
  return real(descriptor);
}

}  // extern "C"
