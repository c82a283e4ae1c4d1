#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "corbel/http/context.hpp"
#include "corbel/observe/log.hpp"
#include "server/server_impl.hpp"

namespace corbel {
namespace {

/// How long cancelled handlers may take to end.
constexpr std::chrono::seconds cancel_time{1};

/// Takes a server from serving to silence, on one of its loops.
struct drain_watch : std::enable_shared_from_this<drain_watch> {
  drain_watch(std::vector<worker*> w, server_shared& s, std::function<void()> d, bool h)
      : timer(w.front()->loop.context()),
        workers(std::move(w)),
        shared(s),
        done(std::move(d)),
        handed_over(h) {}

  const logger& log() const { return shared.context.log; }

  /// `next` runs on the loop after `wait`.
  void later(std::chrono::milliseconds wait, void (drain_watch::*next)()) {
    timer.expires_after(wait);
    timer.async_wait([self = shared_from_this(), next](const boost::system::error_code& failed) {
      if (!failed) ((*self).*next)();
    });
  }

  void begin() {
    const auto delay = shared.settings.drain_delay;
    if (handed_over || delay.count() == 0) return stop_listening();
    log().info("still serving before the drain", {{"milliseconds", delay.count()}});
    later(delay, &drain_watch::stop_listening);
  }

  void stop_listening() {
    until = std::chrono::steady_clock::now() + shared.settings.drain_timeout;
    log().info("listening no more", {{"connections", shared.connections.load()}});
    // Each worker counts as a connection until it has drained: it may have some that it does not know of yet.
    shared.connections.fetch_add(workers.size());
    for (auto* w : workers)
      w->loop.post([w, s = &shared, h = handed_over] {
        w->drain(h);
        s->connections.fetch_sub(1);
      });
    look();
  }

  bool over() const {
    return shared.connections.load() == 0 && std::all_of(workers.begin(), workers.end(), [](const worker* w) {
             return w->answering->load(std::memory_order_acquire) == 0;
           });
  }

  /// Looks again and again whether all connections are gone and all handlers have ended.
  void look() {
    if (over()) return end();
    if (std::chrono::steady_clock::now() >= until) {
      if (std::exchange(cancelled, true)) return end();
      // Who has not answered by now is cancelled, and its client told so; what it stands on is still there
      // while it ends.
      log().warn("ending what is not answered in time", {{"connections", shared.connections.load()}});
      until += cancel_time;
      for (auto* w : workers) w->loop.post([w] { w->give_up(); });
    }
    later(std::chrono::milliseconds(10), &drain_watch::look);
  }

  void end() {
    log().info("drained");
    done();
  }

  boost::asio::steady_timer timer;
  std::vector<worker*> workers;
  server_shared& shared;
  std::function<void()> done;
  bool handed_over;
  std::chrono::steady_clock::time_point until;
  bool cancelled = false;
};

}  // namespace

void server::drain(std::function<void()> done) {
  begin_drain(std::move(done), false);
}

void server::drain_handed_over(std::function<void()> done) {
  begin_drain(std::move(done), true);
}

void server::begin_drain(std::function<void()> done, bool handed_over) {
  if (impl_->workers.empty()) return done();
  std::vector<worker*> all;
  for (auto& w : impl_->workers) all.push_back(w.get());
  auto watch = std::make_shared<drain_watch>(all, impl_->shared, std::move(done), handed_over);
  all.front()->loop.post([watch] { watch->begin(); });
}

}  // namespace corbel
