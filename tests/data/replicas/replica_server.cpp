#include "replica_server.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace {

using namespace std::chrono_literals;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value) FAIL(name << " is not set: run scripts/test, which starts the servers that this needs");
  return value;
}

int free_port() {
  const int s = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof any;
  REQUIRE(::bind(s, reinterpret_cast<sockaddr*>(&any), size) == 0);
  ::getsockname(s, reinterpret_cast<sockaddr*>(&any), &size);
  ::close(s);
  return ntohs(any.sin_port);
}

/// A shell line that runs as the user who may run servers.
std::string as_server(const std::string& program, const std::string& words) {
  return variable("CORBEL_TEST_POSTGRES_RUN") + " " + variable("CORBEL_TEST_POSTGRES_BIN") + "/" + program +
         " " + words;
}

}  // namespace

replica_server::replica_server() : port_(free_port()) {
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  const auto copy = as_server("pg_basebackup", "-D " + (folder_.path() / "data").string() +
                                                   " -R -X stream -c fast --no-sync -d '" +
                                                   variable("CORBEL_TEST_POSTGRES_URL") + "'");
  REQUIRE(std::system((copy + " >/dev/null 2>" + (folder_.path() / "log").string()).c_str()) == 0);
  start();
}

void replica_server::start() {
  const auto line =
      "exec " +
      as_server(
          "postgres",
          "-D " + (folder_.path() / "data").string() + " -k " + folder_.path().string() + " -p " +
              std::to_string(port_) +
              " -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 -c max_wal_senders=8") +
      " >/dev/null 2>&1";
  process_ = ::fork();
  if (process_ == 0) {
    ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  const auto ready = as_server("pg_isready", "-q -h 127.0.0.1 -p " + std::to_string(port_));
  const auto give_up = std::chrono::steady_clock::now() + 30s;
  while (std::system(ready.c_str()) != 0) {
    REQUIRE(std::chrono::steady_clock::now() < give_up);
    std::this_thread::sleep_for(20ms);
  }
}

void replica_server::kill() {
  if (process_ < 0) return;
  // Its children see that it is gone, and go, too.
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

replica_server::~replica_server() {
  if (process_ > 0) {
    ::kill(process_, SIGQUIT);
    ::waitpid(process_, nullptr, 0);
  }
}
