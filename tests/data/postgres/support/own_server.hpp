#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
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

inline std::string program(const std::string& name) {
  if (const char* folder = std::getenv("CORBEL_TEST_POSTGRES_BIN")) return std::string(folder) + "/" + name;
  std::vector<std::string> found;
  if (std::filesystem::exists("/usr/lib/postgresql"))
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      if (std::filesystem::exists(version.path() / "bin" / name))
        found.push_back(version.path() / "bin" / name);
  REQUIRE_MESSAGE(!found.empty(), name, " is not installed; set CORBEL_TEST_POSTGRES_BIN to its folder");
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

/// Starts a program with its output in a file.
inline pid_t start(std::vector<std::string> words, const std::string& log) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  return child;
}

inline int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

inline void run(std::vector<std::string> words, const std::string& log) {
  const auto name = words.back();
  const bool succeeded = wait_for(start(std::move(words), log)) == 0;
  std::ifstream said(log);
  const std::string output{std::istreambuf_iterator<char>(said), {}};
  REQUIRE_MESSAGE(succeeded, name, ": ", output);
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

/// A Postgres of the test's own, stopped and gone when this is destroyed.
class server {
 public:
  explicit server(std::vector<std::string> settings = {})
      : settings_(std::move(settings)), port_(free_port()) {
    own::run(as_somebody({program("initdb"), "-D", data(), "-U", "corbel", "-A", "trust", "-E", "UTF8",
                          "--locale=C", "--no-sync"}),
             log());
  }
  ~server() {
    if (pid_ > 0) stop(SIGQUIT);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Returns when it answers.
  void start() {
    std::vector<std::string> words{program("postgres"),
                                   "-D",
                                   data(),
                                   "-k",
                                   folder_.path(),
                                   "-p",
                                   std::to_string(port_),
                                   "-c",
                                   "listen_addresses=127.0.0.1",
                                   "-c",
                                   "fsync=off",
                                   "-c",
                                   "max_connections=100"};
    for (const auto& one : settings_) {
      words.push_back("-c");
      words.push_back(one);
    }
    pid_ = own::start(as_somebody(std::move(words)), log());
    for (int tries = 0; tries < 3000; ++tries) {
      if (ready()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("the server did not start within 30 s");
  }
  /// SIGTERM lets sessions end, SIGINT ends them, SIGQUIT is a crash.
  void stop(int signal = SIGINT) {
    REQUIRE(pid_ > 0);  // -1 would be everybody
    ::kill(pid_, signal);
    wait_for(pid_);
    pid_ = -1;
  }

  std::uint16_t port() const { return port_; }
  std::string data() const { return folder_.path() + "/data"; }
  std::string path() const { return folder_.path(); }
  std::string log() const { return folder_.path() + "/log"; }
  std::string url(const std::string& options = "") const {
    return "postgres://corbel@127.0.0.1:" + std::to_string(port_) + "/postgres" +
           (options.empty() ? "" : "?" + options);
  }

 private:
  static std::vector<std::string> as_somebody(std::vector<std::string> words) {
    auto all = as_nobody();
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  bool ready() const {
    return wait_for(own::start({program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", std::to_string(port_)},
                               "/dev/null")) == 0;
  }

  const folder folder_;
  const std::vector<std::string> settings_;
  const std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace own
