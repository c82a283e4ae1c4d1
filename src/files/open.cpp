#include "files/open.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace corbel::file_access {
namespace {

// Without waiting for a fifo's other end, and without making a terminal ours.
constexpr int how_to_open = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

int open_beneath(int root, const char* path, int flags, unsigned long long resolve) noexcept {
  open_how how{};
  how.flags = static_cast<unsigned long long>(flags);
  how.resolve = resolve;
  return static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how));
}

}  // namespace

descriptor::~descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

root_folder::root_folder(const std::string& path, bool follow_links)
    : root_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)), follow_links_(follow_links) {
  if (!root_) throw std::system_error(errno, std::generic_category(), "the folder " + path);
  // A sandbox may answer with EPERM where an old kernel says ENOSYS; both mean that it has to be done by
  // hand.
  const descriptor self(open_beneath(root_.get(), ".", O_PATH | O_CLOEXEC, RESOLVE_BENEATH));
  kernel_resolves_ = static_cast<bool>(self);
  const descriptor cached(
      open_beneath(root_.get(), ".", O_PATH | O_CLOEXEC, RESOLVE_BENEATH | RESOLVE_CACHED));
  kernel_caches_ = cached || errno == EAGAIN;
}

int root_folder::resolve(const char* path, patience how) const {
  unsigned long long resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  if (!follow_links_) resolve |= RESOLVE_NO_SYMLINKS;
  if (how == patience::none) resolve |= RESOLVE_CACHED;
  int fd = -1;
  // The kernel gives up with EAGAIN when somebody renames folders just then; with RESOLVE_CACHED also when it
  // would have to ask the disk.
  for (int tries = how == patience::none ? 1 : 16; tries > 0; --tries) {
    fd = open_beneath(root_.get(), path, how_to_open, resolve);
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return fd;
}

int root_folder::walk(const std::string& path) const {
  descriptor at;
  std::size_t from = 0;
  for (;;) {
    const auto slash = path.find('/', from);
    const auto part = path.substr(from, slash == std::string::npos ? slash : slash - from);
    const int here = at ? at.get() : root_.get();
    if (slash == std::string::npos) return ::openat(here, part.c_str(), how_to_open | O_NOFOLLOW);
    descriptor below(::openat(here, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) return -1;
    at = std::move(below);
    from = slash + 1;
  }
}

opened root_folder::open(const std::string& path, patience how) const {
  opened made;
  if (how == patience::none && !(kernel_resolves_ && kernel_caches_)) {
    made.what = found::may_block;
    return made;
  }
  descriptor fd(kernel_resolves_ ? resolve(path.empty() ? "." : path.c_str(), how)
                                 : walk(path.empty() ? "." : path));
  if (!fd) {
    if (how == patience::none && errno == EAGAIN) made.what = found::may_block;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) made.what = found::exhausted;
    return made;
  }
  if (::fstat(fd.get(), &made.facts) != 0) return made;
  if (S_ISDIR(made.facts.st_mode)) {
    made.what = found::folder;
  } else if (S_ISREG(made.facts.st_mode)) {
    made.what = found::file;
    made.file = std::move(fd);
  }
  return made;
}

bool is_servable(std::string_view path, bool dot_files) noexcept {
  constexpr std::size_t longest_part = 255;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (part.empty() || part.size() > longest_part) return false;
    if (part.front() == '.' && (!dot_files || part == "." || part == "..")) return false;
    for (const char c : part)
      if (c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

bool is_same(const struct stat& a, const struct stat& b) noexcept {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

}  // namespace corbel::file_access
