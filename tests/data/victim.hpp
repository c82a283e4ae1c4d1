#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <utility>

/// A process that does one of the tasks of victim/main.cpp, and may be killed. It is a program of its own,
/// not a fork: a child of a process with threads would inherit locks that nobody gives back.
class victim {
 public:
  victim(const std::string& url, const std::string& task, std::optional<int> dies_at = {}) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    told_ = ends[0];
    const std::string step = dies_at ? std::to_string(*dies_at) : "";
    const char* words[] = {VICTIM, url.c_str(), task.c_str(), dies_at ? step.c_str() : nullptr, nullptr};
    posix_spawn_file_actions_t output;
    ::posix_spawn_file_actions_init(&output);
    ::posix_spawn_file_actions_adddup2(&output, ends[1], STDOUT_FILENO);
    const int failed = ::posix_spawn(&process_, VICTIM, &output, nullptr, const_cast<char**>(words), environ);
    ::posix_spawn_file_actions_destroy(&output);
    ::close(ends[1]);
    REQUIRE(failed == 0);
  }
  victim(victim&& other) noexcept
      : process_(std::exchange(other.process_, -1)), told_(std::exchange(other.told_, -1)) {}
  ~victim() {
    if (process_ > 0) kill();
    if (told_ >= 0) ::close(told_);
  }

  /// What it tells; nothing when it has ended.
  std::optional<int> next() {
    int n = 0;
    if (::read(told_, &n, sizeof n) != sizeof n) return std::nullopt;
    return n;
  }

  void kill() {
    ::kill(process_, SIGKILL);
    wait();
  }

  /// What waitpid says of it.
  int wait() {
    int status = 0;
    REQUIRE(::waitpid(process_, &status, 0) == process_);
    process_ = -1;
    return status;
  }

 private:
  pid_t process_ = -1;
  int told_ = -1;
};
