#include "corbel/observe/log_sink.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace corbel {
namespace {

/// While it lives, a write to a pipe without a reader is an error and no signal: the host program keeps its
/// own handling of SIGPIPE.
class no_sigpipe {
 public:
  no_sigpipe() noexcept {
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::sigemptyset(&only_);
    ::sigaddset(&only_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  ~no_sigpipe() {
    if (raised && !was_pending_) {
      const timespec now{};
      while (::sigtimedwait(&only_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  no_sigpipe(const no_sigpipe&) = delete;
  no_sigpipe& operator=(const no_sigpipe&) = delete;

  bool raised = false;

 private:
  sigset_t only_;
  sigset_t before_;
  bool was_pending_;
};

class descriptor_sink final : public log_sink {
 public:
  explicit descriptor_sink(int given) : given_(given), fd_(given) {
    struct stat facts {};
    if (::fstat(given, &facts) != 0) return;
    terminal_ = ::isatty(given) == 1;
    if (S_ISSOCK(facts.st_mode)) {
      kind_ = kind::socket;
    } else if (S_ISFIFO(facts.st_mode) || S_ISCHR(facts.st_mode)) {
      kind_ = kind::stream;
      // An open file of our own: O_NONBLOCK on the given one would reach every process that shares it.
      const auto name = "/proc/self/fd/" + std::to_string(given);
      const bool writable = (::fcntl(given, F_GETFL) & O_ACCMODE) != O_RDONLY;
      const int own = !writable ? -1 : ::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
      if (own >= 0) fd_ = own;
    }
  }
  ~descriptor_sink() override {
    if (fd_ != given_) ::close(fd_);
  }

  bool write(std::string_view line) noexcept override {
    const std::scoped_lock lock(mutex_);
    try {
      // A line that was cut short is finished before another begins.
      if (!rest_.empty()) {
        const auto done = put(rest_);
        if (done < rest_.size()) {
          rest_.erase(0, done);
          return false;
        }
        rest_.clear();
      }
      const auto done = put(line);
      if (done == 0) return line.empty();
      if (done < line.size()) rest_.assign(line.substr(done));
      return true;
    } catch (...) {  // no memory for the rest
      return false;
    }
  }
  bool is_terminal() const noexcept override { return terminal_; }

 private:
  enum class kind : char { file, stream, socket };

  /// How many bytes found room now.
  std::size_t put(std::string_view bytes) noexcept {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto n = put_some(bytes.substr(done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  ssize_t put_some(std::string_view bytes) noexcept {
    switch (kind_) {
      case kind::file: return ::write(fd_, bytes.data(), bytes.size());
      case kind::socket: return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      case kind::stream: return put_stream(bytes);
    }
    return 0;
  }

  ssize_t put_stream(std::string_view bytes) noexcept {
    if (fd_ == given_) {  // no open file of our own: ask first, and never give more than has room for sure
      pollfd room{fd_, POLLOUT, 0};
      if (::poll(&room, 1, 0) != 1 || !(room.revents & POLLOUT)) return 0;
      bytes = bytes.substr(0, std::min<std::size_t>(bytes.size(), 4096));
    }
    no_sigpipe guard;
    const auto n = ::write(fd_, bytes.data(), bytes.size());
    guard.raised = n < 0 && errno == EPIPE;
    return n;
  }

  const int given_;
  int fd_;
  kind kind_ = kind::file;
  bool terminal_ = false;
  std::mutex mutex_;
  std::string rest_;  // of a line that found room only in part
};

}  // namespace

std::shared_ptr<log_sink> log_to_descriptor(int descriptor) {
  return std::make_shared<descriptor_sink>(descriptor);
}

bool captured_log::write(std::string_view line) noexcept {
  try {
    if (line.ends_with('\n')) line.remove_suffix(1);
    const std::scoped_lock lock(mutex_);
    lines_.emplace_back(line);
    return true;
  } catch (...) {
    return false;
  }
}

std::vector<std::string> captured_log::lines() const {
  const std::scoped_lock lock(mutex_);
  return lines_;
}

bool captured_log::contains(std::string_view text) const {
  const std::scoped_lock lock(mutex_);
  return std::any_of(lines_.begin(), lines_.end(), [&](const auto& l) { return l.find(text) != l.npos; });
}

void captured_log::clear() {
  const std::scoped_lock lock(mutex_);
  lines_.clear();
}

}  // namespace corbel
