#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "app/impl.hpp"

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

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

void say(const std::string& text) {
  std::fprintf(stderr, "corbel: %s\n", text.c_str());
}

}  // namespace

int app::run() {
  try {
    impl_->build();
  } catch (const wiring_error& e) {
    say(e.what());
    return wrong_configuration;
  }
  const auto& log = impl_->context.log;
  const auto wanted = impl_->settings.server.threads;
  loop_threads threads(wanted != 0 ? wanted : std::max(1u, std::thread::hardware_concurrency()));
  auto& first = threads.first();
  impl_->server = std::make_unique<server>(impl_->settings.server, impl_->router, impl_->context);
  int code = 0;

  const auto finish = [&] {
    asio::co_spawn(first.context(), impl_->stop_components(), [&](std::exception_ptr) { threads.stop(); });
  };

  asio::signal_set signals(first.context(), SIGINT, SIGTERM);
  bool stopping = false;
  const std::function<void(const boost::system::error_code&, int)> on_signal =
      [&](const boost::system::error_code& failed, int signal) {
        if (failed) return;
        if (stopping) {
          log.warn("stopping at once", {{"signal", signal}});
          ::_exit(128 + signal);
        }
        stopping = true;
        log.info("draining", {{"signal", signal}, {"connections", impl_->server->connections()}});
        impl_->health.drain();
        impl_->server->drain([&] { first.post(finish); });
        signals.async_wait(on_signal);
      };

  // Without TLS the signal keeps its meaning, and ends the program.
  asio::signal_set hangup(first.context());
  if (impl_->settings.server.tls) hangup.add(SIGHUP);
  const std::function<void(const boost::system::error_code&, int)> on_hangup =
      [&](const boost::system::error_code& failed, int) {
        if (failed) return;
        if (!stopping) (void)impl_->server->reload_certificates();
        hangup.async_wait(on_hangup);
      };

  asio::co_spawn(first.context(), impl_->lifecycle.start(), [&](std::exception_ptr failed) {
    if (!failed) {
      try {
        impl_->server->start(threads.all());
        impl_->tell_listening();
      } catch (...) {
        failed = std::current_exception();
      }
    }
    if (failed) {
      say("the application does not start: " + text_of(failed));
      code = 1;
      return finish();
    }
    signals.async_wait(on_signal);
    hangup.async_wait(on_hangup);
  });
  threads.run();
  threads.join();
  impl_->server.reset();  // its connections belong to the loops, which no thread runs any more
  log.info("stopped");
  return code;
}

}  // namespace corbel
