#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "corbel/testing/database.hpp"

/// Programs that a test starts for itself, and ends by their process ids.
namespace own {

/// The words that run a program as somebody who may run servers: Postgres refuses root.
inline std::vector<std::string> as_nobody() {
  std::vector<std::string> words;
  if (const char* given = std::getenv("CORBEL_TEST_POSTGRES_RUN")) {
    std::istringstream all(given);
    for (std::string word; all >> word;) words.push_back(word);
  } else if (::getuid() == 0) {
    words = {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"};
  }
  return words;
}

/// The folder of Postgres's programs.
inline std::string programs() {
  if (const char* folder = std::getenv("CORBEL_TEST_POSTGRES_BIN")) return folder;
  std::vector<std::string> found;
  if (std::filesystem::exists("/usr/lib/postgresql"))
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      if (std::filesystem::exists(version.path() / "bin/postgres")) found.push_back(version.path() / "bin");
  REQUIRE_MESSAGE(!found.empty(), "Postgres is not installed; set CORBEL_TEST_POSTGRES_BIN to its programs");
  return *std::max_element(found.begin(), found.end());
}

inline std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
  socklen_t size = sizeof any;
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&any), &size) == 0);
  ::close(socket);
  return ntohs(any.sin_port);
}

inline bool accepts(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  const bool yes = ::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  ::close(socket);
  return yes;
}

/// Starts a program with its output in a file. Spawned: the child of a fork of many threads inherits their
/// locks.
inline pid_t start(std::vector<std::string> words, const std::string& log) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::posix_spawn_file_actions_t output;
  ::posix_spawn_file_actions_init(&output);
  ::posix_spawn_file_actions_addopen(&output, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::posix_spawn_file_actions_adddup2(&output, 1, 2);
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, arguments[0], &output, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&output);
  REQUIRE_MESSAGE(failed == 0, words[0], " could not be started");
  return child;
}

inline int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

inline std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void run(std::vector<std::string> words, const std::string& log) {
  const auto name = words.back();
  const bool succeeded = wait_for(start(std::move(words), log)) == 0;
  REQUIRE_MESSAGE(succeeded, name, ": ", text_of(log));
}

/// A folder that whoever runs the servers owns.
class folder {
 public:
  folder() {
    if (::getuid() == 0 && !as_nobody().empty()) {
      own::run({"chown", "postgres:postgres", path()}, "/dev/null");
      std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
    }
  }
  std::string path() const { return own_.path().string(); }

 private:
  corbel::testing::temporary_folder own_;
};

}  // namespace own
