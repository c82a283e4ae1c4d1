#pragma once

#include <chrono>
#include <thread>

#include "processes.hpp"

namespace own {

/// PgBouncer in transaction mode in front of the tests' server, as it ships otherwise: the one that
/// CORBEL_TEST_PGBOUNCER_URL names, or one of our own.
class pgbouncer {
 public:
  /// `server` is the URL of a Postgres.
  explicit pgbouncer(const std::string& server) {
    if (const char* given = std::getenv("CORBEL_TEST_PGBOUNCER_URL")) {
      url_ = given;
      return;
    }
    const auto port = free_port();
    const auto ini = folder_.path() + "/pgbouncer.ini";
    std::ofstream(ini)
        << "[databases]\n* = host=127.0.0.1 port=" << server.substr(server.find("127.0.0.1:") + 10, 5)
        << " user=corbel\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port
        << "\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\nmax_client_conn = 200\n"
           "default_pool_size = 20\n";
    auto words = as_nobody();
    words.insert(words.end(), {"pgbouncer", ini});
    std::filesystem::permissions(ini, std::filesystem::perms::all);
    pid_ = own::start(words, folder_.path() + "/log");
    for (int tries = 0; tries < 500 && !accepts(port); ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE_MESSAGE(accepts(port), "PgBouncer did not start: is it installed?");
    url_ = "postgres://corbel@127.0.0.1:" + std::to_string(port) + "/postgres";
  }
  ~pgbouncer() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);
    wait_for(pid_);
  }
  pgbouncer(const pgbouncer&) = delete;
  pgbouncer& operator=(const pgbouncer&) = delete;

  /// Another database of the same server.
  std::string url(const std::string& database, const std::string& options) const {
    return url_.substr(0, url_.rfind('/')) + "/" + database + "?" + options;
  }

 private:
  folder folder_;
  std::string url_;
  pid_t pid_ = -1;
};

}  // namespace own
