#pragma once

#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "corbel/http/context.hpp"
#include "corbel/routing/router.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "corbel/server/server.hpp"

/// A server on loopback with loops and threads of its own, ended with the object.
class running {
 public:
  /// `wire_up` adds the routes.
  explicit running(const std::function<void(corbel::route_group)>& wire_up, corbel::server_limits limits = {},
                   std::size_t loops = 1, std::chrono::milliseconds drain_timeout = std::chrono::seconds(5),
                   const std::function<void(corbel::services&)>& provide = {}, corbel::logger log = {},
                   const std::function<void(corbel::server_settings&)>& adjust = {})
      : running(with(limits, drain_timeout, adjust), wire_up, loops, provide, std::move(log)) {}
  running(corbel::server_settings settings, const std::function<void(corbel::route_group)>& wire_up,
          std::size_t loops = 1, const std::function<void(corbel::services&)>& provide = {},
          corbel::logger log = {})
      : routes_({corbel::trailing_slash::strict, settings.limits.body_bytes}) {
    context.log = std::move(log);
    if (provide) provide(context.provided);
    wire_up(routes_.root());
    const auto wrong = routes_.build(context.provided);
    if (!wrong.empty()) throw std::logic_error(wrong.front());
    settings.port = 0;
    server_ = std::make_unique<corbel::server>(settings, routes_, context);
    std::vector<corbel::event_loop*> raw;
    for (std::size_t i = 0; i < loops; ++i) {
      loops_.push_back(std::make_unique<corbel::event_loop>());
      raw.push_back(loops_.back().get());
    }
    server_->start(raw);
    for (auto* loop : raw) threads_.emplace_back([loop] { loop->run(); });
  }
  ~running() {
    if (!drained_) drain();
    for (auto& loop : loops_) loop->stop();
    for (auto& thread : threads_) thread.join();
    server_.reset();
  }
  running(const running&) = delete;
  running& operator=(const running&) = delete;

  std::uint16_t port() const { return server_->port(); }
  corbel::server& server() { return *server_; }
  corbel::event_loop& loop(std::size_t i = 0) { return *loops_[i]; }
  /// Returns when the drain is over.
  void drain() { begin_drain().wait(); }
  std::future<void> begin_drain() {
    drained_ = true;
    auto done = std::make_shared<std::promise<void>>();
    auto over = done->get_future();
    server_->drain([done] { done->set_value(); });
    return over;
  }

  corbel::app_context context;

 private:
  static corbel::server_settings with(const corbel::server_limits& limits,
                                      std::chrono::milliseconds drain_timeout,
                                      const std::function<void(corbel::server_settings&)>& adjust) {
    corbel::server_settings settings;
    settings.drain_timeout = drain_timeout;
    settings.idle_grace = std::chrono::milliseconds(0);
    settings.shed_load = false;  // a test machine that is busy otherwise looks like an overloaded server
    settings.limits = limits;
    if (adjust) adjust(settings);
    return settings;
  }

  corbel::router routes_;
  std::vector<std::unique_ptr<corbel::event_loop>> loops_;
  std::vector<std::thread> threads_;
  std::unique_ptr<corbel::server> server_;
  bool drained_ = false;
};
