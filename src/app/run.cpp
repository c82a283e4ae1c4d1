#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "app/handover.hpp"
#include "app/impl.hpp"
#include "app/process.hpp"
#include "base/exception_text.hpp"
#include "server/listener.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;

constexpr int wrong_configuration = 78;  // EX_CONFIG of sysexits.h

/// The threads of one run: the first loop runs on the caller's thread, each other one on its own.
class loop_threads {
 public:
  explicit loop_threads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<event_loop>());
  }
  ~loop_threads() { join(); }

  event_loop& first() { return *loops_.front(); }
  std::vector<event_loop*> all() {
    std::vector<event_loop*> raw;
    for (auto& loop : loops_) raw.push_back(loop.get());
    return raw;
  }
  void run() {
    for (std::size_t i = 1; i < loops_.size(); ++i)
      threads_.emplace_back([loop = loops_[i].get()] { loop->run(); });
    first().run();
  }
  void stop() {
    for (auto& loop : loops_) loop->stop();
  }
  void join() {
    stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::unique_ptr<event_loop>> loops_;
  std::vector<std::thread> threads_;
};

void say(const std::string& text) {
  std::fprintf(stderr, "corbel: %s\n", text.c_str());
}

}  // namespace

/// From the start to the exit code. All of it happens on the first loop, and so on the caller's thread.
class app::impl::one_run {
 public:
  one_run(impl& a, loop_threads& threads) : app_(a), threads_(threads), first_(threads.first()) {}

  int run(std::vector<int> activated);

 private:
  void serve();
  void wait_for_signal();
  void wait_for_hangup();
  void on_signal(int signal);
  void on_taken_over(pid_t by);
  void drain(bool handed_over);
  void finish();
  const logger& log() const { return app_.context.log; }

  impl& app_;
  loop_threads& threads_;
  event_loop& first_;
  std::vector<int> sockets_;  // of a service manager
  std::unique_ptr<handover_offer> offer_;
  asio::signal_set signals_{first_.context(), SIGINT, SIGTERM};
  asio::signal_set hangup_{first_.context()};
  bool asked_to_stop_ = false;
  bool draining_ = false;
  int code_ = 0;
};

int app::impl::one_run::run(std::vector<int> activated) {
  sockets_ = std::move(activated);
  asio::co_spawn(first_.context(), app_.lifecycle.start(), [this](std::exception_ptr failed) {
    try {
      if (failed) std::rethrow_exception(failed);
      serve();
      wait_for_signal();
      // Without TLS the signal keeps its meaning, and ends the program.
      if (app_.settings.server.tls) {
        hangup_.add(SIGHUP);
        wait_for_hangup();
      }
    } catch (...) {
      say("the application does not start: " + exception_text(std::current_exception()));
      code_ = 1;
      finish();
    }
  });
  threads_.run();
  threads_.join();
  offer_.reset();
  app_.server.reset();  // its connections belong to the loops, which no thread runs any more
  log().info("stopped");
  return code_;
}

void app::impl::one_run::serve() {
  const auto& asked = app_.settings.server;
  auto sockets = std::exchange(sockets_, {});
  auto previous =
      asked.handover_socket.empty() ? std::optional<takeover>() : takeover::from(asked.handover_socket);
  if (previous && sockets.empty()) {
    sockets = previous->release();
    if (!listens_on(sockets.front(), asked.host, asked.port)) {
      log().warn("the address has changed; the other process's port is given up",
                 {{"host", asked.host}, {"port", asked.port}});
      for (const int fd : std::exchange(sockets, {})) ::close(fd);
    }
  }
  app_.server->start(threads_.all(), std::move(sockets));
  if (!asked.handover_socket.empty())
    offer_ =
        std::make_unique<handover_offer>(first_.context(), asked.handover_socket, app_.server->listening(),
                                         log(), [this](pid_t by) { on_taken_over(by); });
  app_.tell_listening();
  notify_manager("READY=1");
  if (!previous) return;
  log().info("took over the port", {{"process", previous->process()}});
  previous->serving();
}

void app::impl::one_run::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& failed, int signal) {
    if (!failed) on_signal(signal);
  });
}

void app::impl::one_run::wait_for_hangup() {
  hangup_.async_wait([this](const boost::system::error_code& failed, int) {
    if (failed) return;
    if (!draining_) (void)app_.server->reload_certificates();
    wait_for_hangup();
  });
}

void app::impl::one_run::on_signal(int signal) {
  if (asked_to_stop_) {
    log().warn("stopping at once", {{"signal", signal}});
    ::_exit(128 + signal);
  }
  asked_to_stop_ = true;
  wait_for_signal();
  if (draining_) return log().info("already draining", {{"signal", signal}});
  log().info("draining", {{"signal", signal}, {"connections", app_.server->connections()}});
  app_.health.drain();
  drain(false);
}

void app::impl::one_run::on_taken_over(pid_t by) {
  if (draining_) return;
  // Not unready: whoever asks for readiness on an old connection asks about the port, which is in good hands.
  log().info("the port was taken over; draining",
             {{"process", by}, {"connections", app_.server->connections()}});
  drain(true);
}

void app::impl::one_run::drain(bool handed_over) {
  draining_ = true;
  notify_manager("STOPPING=1");
  if (!handed_over) offer_.reset();
  const auto drained = [this] { first_.post([this] { finish(); }); };
  if (handed_over)
    app_.server->drain_handed_over(drained);
  else
    app_.server->drain(drained);
}

void app::impl::one_run::finish() {
  asio::co_spawn(first_.context(), app_.stop_components(), [this](std::exception_ptr) { threads_.stop(); });
}

int app::run() {
  std::vector<int> activated;
  try {
    impl_->build();
    activated = activated_sockets();
  } catch (const std::exception& e) {
    say(e.what());
    return wrong_configuration;
  }
  raise_descriptor_limit();
  const auto wanted = impl_->settings.server.threads;
  loop_threads threads(wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency()));
  impl_->server = std::make_unique<server>(impl_->settings.server, impl_->router, impl_->context);
  return impl::one_run(*impl_, threads).run(std::move(activated));
}

}  // namespace corbel
