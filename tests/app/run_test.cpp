#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "corbel/app/app.hpp"
#include "corbel/app/settings.hpp"
#include "server/certificates.hpp"
#include "server/running.hpp"
#include "server/tls_client.hpp"
#include "server/wire.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

/// `app::run` in a process of its own, since it takes signals and its exit code is what counts.
class process {
 public:
  explicit process(const std::function<void(app&)>& wire_up, app_settings settings = {}) {
    int errors[2], ports[2];
    REQUIRE(::pipe(errors) == 0);
    REQUIRE(::pipe(ports) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(errors[1], STDERR_FILENO);
      for (const int fd : {errors[0], errors[1], ports[0]}) ::close(fd);
      settings.log = log_to_stderr();
      int code = 99;
      {
        app a(std::move(settings));
        wire_up(a);
        a.on_listening([&](const std::string&) {
          const auto port = a.port();
          (void)!::write(ports[1], &port, sizeof port);
        });
        code = a.run();
      }
      ::_exit(code);
    }
    ::close(errors[1]);
    ::close(ports[1]);
    (void)!::read(ports[0], &port_, sizeof port_);  // at once when it ends without having listened
    ::close(ports[0]);
    stderr_ = errors[0];
  }
  ~process() {
    if (!ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(stderr_);
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  std::uint16_t port() const { return port_; }
  void signal(int which) { ::kill(pid_, which); }
  /// The exit code; 128 + the signal that ended it.
  int wait() {
    char piece[4096];
    for (ssize_t n; (n = ::read(stderr_, piece, sizeof piece)) > 0;)
      said.append(piece, static_cast<std::size_t>(n));
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string said;

 private:
  pid_t pid_ = -1;
  int stderr_ = -1;
  std::uint16_t port_ = 0;
  bool ended_ = false;
};

app_settings any_port(std::size_t threads = 2) {
  app_settings settings;
  settings.server.port = 0;
  settings.server.threads = threads;
  return settings;
}

task<std::string> nap(path<int> ms) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(*ms));
  co_await timer.async_wait(boost::asio::use_awaitable);
  co_return "napped";
}

task<> say(const char* what) {
  const auto line = std::string(what) + '\n';
  (void)!::write(STDERR_FILENO, line.data(), line.size());
  co_return;
}

void wire_up(app& a) {
  a.get("/nap/:ms", &nap);
  a.get("/ping", [] { return std::string("pong"); });
  a.component(
      "noisy", [] { return say("component started"); }, [] { return say("component stopped"); });
}

/// A socket that listens, without a thread: the thread sanitizer wants a process forked from one thread.
class taken_port {
 public:
  taken_port() {
    REQUIRE(fd_ >= 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* any = reinterpret_cast<sockaddr*>(&address_);
    REQUIRE(::bind(fd_, any, size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    REQUIRE(::getsockname(fd_, any, &size) == 0);
  }
  ~taken_port() { ::close(fd_); }
  taken_port(const taken_port&) = delete;
  taken_port& operator=(const taken_port&) = delete;

  std::uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address_{};
};

}  // namespace

TEST_CASE("wrong wiring ends with code 78 and says all that is wrong") {
  process p(
      [](app& a) {
        a.get("no-slash", [] {});
        a.get("/x", [](path<int>) {});
      },
      any_port());
  CHECK(p.wait() == 78);
  CHECK(p.said.find("no-slash") != std::string::npos);
  CHECK(p.said.find("GET /x") != std::string::npos);
}

TEST_CASE("a port that is taken, or no address, ends with code 1 and says which") {
  const taken_port taken;
  auto settings = any_port();
  settings.server.port = taken.port();
  process p(wire_up, settings);
  CHECK(p.wait() == 1);
  CHECK(p.said.find("cannot listen on 127.0.0.1 port " + std::to_string(taken.port()) +
                    ": Address already in use") != std::string::npos);
  CHECK(p.said.find("component stopped") != std::string::npos);
  settings.server.host = "example.org";
  process q(wire_up, settings);
  CHECK(q.wait() == 1);
  CHECK(q.said.find("numeric address") != std::string::npos);
}

TEST_CASE("a component that fails ends with code 1 and its name") {
  process p(
      [](app& a) {
        a.component("database", []() -> task<> {
          throw std::runtime_error("no such host");
          co_return;
        });
      },
      any_port());
  CHECK(p.wait() == 1);
  CHECK(p.said.find("database: no such host") != std::string::npos);
}

TEST_CASE("a signal lets requests in flight finish, and nothing is lost that was sent") {
  for (const int which : {SIGTERM, SIGINT}) {
    process p(wire_up, any_port(3));
    REQUIRE(p.port() != 0);
    std::vector<std::unique_ptr<wire::client>> clients;
    for (int i = 0; i < 30; ++i) {
      clients.push_back(std::make_unique<wire::client>(p.port()));
      if (i % 3 == 0) CHECK(clients.back()->ask(wire::get("/ping")).value().body == "pong");
      if (i % 3 != 2) clients.back()->send(wire::get("/nap/200"));
    }
    wire::client idle(p.port());
    CHECK(idle.ask(wire::get("/ping")).value().body == "pong");
    std::this_thread::sleep_for(50ms);
    p.signal(which);
    CHECK(idle.ends());
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (i % 3 == 2) continue;
      const auto answer = clients[i]->read();
      REQUIRE(answer);
      CHECK(answer->body == "napped");
      CHECK(answer->header("Connection") == "close");
    }
    clients.clear();
    CHECK(p.wait() == 0);
    CHECK(p.said.find("component stopped") != std::string::npos);
    CHECK_THROWS(wire::client(p.port()));
  }
}

TEST_CASE("a second signal ends it at once") {
  process p(wire_up, any_port());
  wire::client c(p.port());
  c.send(wire::get("/nap/60000"));
  std::this_thread::sleep_for(50ms);
  p.signal(SIGTERM);
  std::this_thread::sleep_for(100ms);
  p.signal(SIGTERM);
  CHECK(p.wait() == 128 + SIGTERM);
}

TEST_CASE("a drain over its time is ended, and the exit is still clean") {
  auto settings = any_port();
  settings.server.drain_timeout = 200ms;
  process p(wire_up, settings);
  wire::client c(p.port());
  c.send(wire::get("/nap/60000"));
  std::this_thread::sleep_for(50ms);
  p.signal(SIGTERM);
  CHECK(p.wait() == 0);
  CHECK(p.said.find("component stopped") != std::string::npos);
}

TEST_CASE("SIGHUP reloads the certificates of a server that speaks TLS, and ends one that does not") {
  certificates made;
  made.make("server", {.subject = "old"});
  made.make("fresh", {.subject = "new"});
  settings::source variables;
  variables.add("PORT", "0").add("THREADS", "2").add("TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8");
  variables.add("TLS_CERTIFICATE", made.certificate("server")).add("TLS_KEY", made.key("server"));
  auto read = settings::read<server_settings>(variables);
  REQUIRE(read);
  CHECK(read->trusted_proxies.size() == 2);
  app_settings with;
  with.server = std::move(*read);

  process served(&wire_up, std::move(with));
  REQUIRE(served.port() != 0);
  tls_client open(served.port());
  CHECK(open.server() == "old");
  made.replace("server", "fresh");
  served.signal(SIGHUP);
  std::string shown;
  for (int i = 0; i < 500 && shown != "new"; ++i) {
    shown = tls_client(served.port()).server();
    std::this_thread::sleep_for(5ms);
  }
  CHECK(shown == "new");
  CHECK(open.ask(wire::get("/ping")).value().body == "pong");
  served.signal(SIGTERM);
  CHECK(served.wait() == 0);
  CHECK(served.said.find("certificates reloaded") != std::string::npos);
  CHECK(served.said.find("https://127.0.0.1") != std::string::npos);

  process plain(&wire_up, any_port());
  plain.signal(SIGHUP);
  CHECK(plain.wait() == 128 + SIGHUP);
}

TEST_CASE("a certificate without its key is a mistake of the settings") {
  settings::source variables;
  variables.add("TLS_CERTIFICATE", "/etc/x.pem").add("PROXY_PROTOCOL", "sometimes");
  const auto read = settings::read<server_settings>(variables);
  REQUIRE_FALSE(read);
  const auto text = settings::explain(read.error());
  CHECK(text.find("TLS_KEY is missing") != std::string::npos);
  CHECK(text.find("PROXY_PROTOCOL") != std::string::npos);
}
