#pragma once

#include <chrono>
#include <thread>

#include "processes.hpp"

namespace own {

struct server_options {
  std::vector<std::string> settings = {};     // "work_mem=64kB"
  std::vector<std::string> environment = {};  // "NAME=value"
  /// The folder of its programs: another Postgres than that of the tests.
  std::string programs = own::programs();
  /// The URL of the server that it follows, as a hot standby from a copy of its own.
  std::string primary = {};
};

/// A Postgres of the test's own, stopped and gone when this is destroyed.
class server {
 public:
  explicit server(server_options how = {}) : how_(std::move(how)), port_(free_port()) {
    if (how_.primary.empty())
      own::run(words("initdb",
                     {"-D", data(), "-U", "corbel", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}),
               log());
    else
      own::run(words("pg_basebackup",
                     {"-D", data(), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", how_.primary}),
               log());
  }
  ~server() {
    if (pid_ > 0) stop(SIGQUIT);
  }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Returns when it answers.
  void start() {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    do {
      // It refuses to start while children of a killed one still have its memory.
      if (pid_ < 0 || ended()) launch();
      if (answers()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    } while (std::chrono::steady_clock::now() < give_up);
    FAIL("the server did not start within 30 s: ", text_of(log()));
  }
  /// SIGTERM lets sessions end, SIGINT ends them, SIGQUIT is a crash, SIGKILL a power cut.
  void stop(int signal = SIGINT) {
    REQUIRE(pid_ > 0);  // -1 would be everybody
    ::kill(pid_, signal);
    wait_for(pid_);
    pid_ = -1;
  }

  std::uint16_t port() const { return port_; }
  /// As in a list of hosts.
  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string data() const { return folder_.path() + "/data"; }
  std::string path() const { return folder_.path(); }
  std::string log() const { return folder_.path() + "/log"; }
  std::string url(const std::string& options = "") const {
    return "postgres://corbel@" + place() + "/postgres" + (options.empty() ? "" : "?" + options);
  }

 private:
  std::vector<std::string> words(const std::string& program,
                                 const std::vector<std::string>& arguments) const {
    auto all = as_nobody();
    all.push_back("env");
    all.insert(all.end(), how_.environment.begin(), how_.environment.end());
    all.push_back(how_.programs + "/" + program);
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  void launch() {
    std::vector<std::string> arguments{"-D", data(), "-k", folder_.path(), "-p", std::to_string(port_)};
    std::vector<std::string> settings{"listen_addresses=127.0.0.1", "fsync=off", "max_connections=100"};
    // A standby has to allow what its primary allows.
    if (!how_.primary.empty()) settings.insert(settings.end(), {"max_connections=200", "max_wal_senders=8"});
    settings.insert(settings.end(), how_.settings.begin(), how_.settings.end());  // the last word counts
    for (auto& one : settings) arguments.insert(arguments.end(), {"-c", std::move(one)});
    pid_ = own::start(words("postgres", arguments), log());
  }
  bool ended() const { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; }
  bool answers() const {
    return wait_for(own::start(
               {how_.programs + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", std::to_string(port_)},
               "/dev/null")) == 0;
  }

  const folder folder_;
  const server_options how_;
  const std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace own
