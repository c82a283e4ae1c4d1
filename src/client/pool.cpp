#include "client/pool.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "client/failures.hpp"

namespace corbel::outgoing {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// How often idle connections are looked at: one that its peer has closed lingers at most so long.
constexpr std::chrono::milliseconds sweep_interval{1000};

}  // namespace

lease& lease::operator=(lease&& other) noexcept {
  if (this == &other) return *this;
  end();
  home_ = std::move(other.home_);
  origin_ = std::move(other.origin_);
  connection_ = std::move(other.connection_);
  return *this;
}

void lease::keep() {
  if (auto c = std::exchange(connection_, nullptr)) home_->put_back(origin_, std::move(c));
}

void lease::end() {
  if (auto c = std::exchange(connection_, nullptr)) {
    c->close();
    home_->give_up(origin_);
  }
}

pool::pool(std::shared_ptr<core> owner, asio::io_context& loop)
    : owner_(std::move(owner)), loop_(loop), sweeper_(std::make_unique<asio::steady_timer>(loop)) {}

pool::~pool() {
  abandon();
}

void pool::abandon() noexcept {
  if (std::exchange(abandoned_, true)) return;
  origins_.clear();
  open_ = idle_ = 0;
  sweeper_.reset();
}

struct pool::place_in_line {
  std::shared_ptr<pool> home;
  std::list<std::shared_ptr<waiter>>::iterator at;
  std::shared_ptr<waiter> self;

  ~place_in_line() {
    if (self->queued && !home->abandoned_) home->line_.erase(at);
  }
};

task<result<lease>> pool::acquire(std::string origin, bool fresh, time_point due) {
  if (abandoned_) co_return stopped();
  if (auto taken = try_take(origin, fresh)) co_return taken;
  if (line_.size() >= owner_->settings.limits.waiting)
    co_return unavailable("Too many calls to other services are waiting. Try again shortly.", "busy")
        .retry_after(std::chrono::seconds(1))
        .because("client_limits::waiting calls wait for a connection already");
  const auto me = std::make_shared<waiter>(loop_, std::move(origin), fresh);
  me->ready.expires_at(due);
  const place_in_line place{shared_from_this(), line_.insert(line_.end(), me), me};
  error_code ignored;
  co_await me->ready.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (me->granted) co_return std::move(me->granted);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  if (owner_->stopping) co_return stopped();
  co_return timed_out("queue", "no connection to " + me->origin +
                                   " became free in time: see "
                                   "client_limits::connections_per_origin and client_limits::connections");
}

lease pool::try_take(const std::string& origin, bool fresh) {
  const auto now = std::chrono::steady_clock::now();
  const auto& limits = owner_->settings.limits;
  if (const auto here = origins_.find(origin); here != origins_.end()) {
    auto& [idle, open] = here->second;
    while (!idle.empty()) {
      auto c = std::move(idle.back());
      idle.pop_back();
      --idle_;
      if (!fresh && worth_keeping(*c, now)) return {shared_from_this(), origin, std::move(c)};
      --open;
      --open_;
    }
    if (open >= limits.connections_per_origin) return {};
    if (open == 0) origins_.erase(here);
  }
  if (open_ >= limits.connections && !drop_oldest_idle()) return {};
  ++origins_[origin].open;
  ++open_;
  return {shared_from_this(), origin, std::make_shared<connection>(loop_.get_executor())};
}

bool pool::worth_keeping(connection& c, time_point now) const {
  const auto& limits = owner_->settings.limits;
  return now - c.last_used < limits.keep_alive && now - c.connected_at < limits.connection_age && c.quiet();
}

void pool::put_back(const std::string& origin, std::shared_ptr<connection> c) {
  if (abandoned_) return;
  const auto now = std::chrono::steady_clock::now();
  c->last_used = now;
  // Whether its peer has closed it meanwhile is asked when it is taken out again.
  if (owner_->stopping || !c->unread.empty()) {
    c->close();
    return give_up(origin);
  }
  c->deadline(time_point::max(), "");
  c->release_buffer();
  origins_[origin].idle.push_back(std::move(c));
  ++idle_;
  serve_line();
  if (idle_ > 0) sweep_later();
}

void pool::give_up(const std::string& origin) {
  if (abandoned_) return;
  const auto at = origins_.find(origin);
  --open_;
  if (--at->second.open == 0) origins_.erase(at);
  serve_line();
}

void pool::serve_line() {
  for (auto at = line_.begin(); at != line_.end();) {
    auto& next = **at;
    auto taken = try_take(next.origin, next.fresh);
    if (!taken) {
      ++at;
      continue;
    }
    next.granted = std::move(taken);
    next.queued = false;
    next.ready.cancel();
    at = line_.erase(at);
  }
}

bool pool::drop_oldest_idle() {
  auto oldest = origins_.end();
  for (auto at = origins_.begin(); at != origins_.end(); ++at)
    if (!at->second.idle.empty() && (oldest == origins_.end() || at->second.idle.front()->last_used <
                                                                     oldest->second.idle.front()->last_used))
      oldest = at;
  if (oldest == origins_.end()) return false;
  oldest->second.idle.erase(oldest->second.idle.begin());
  --idle_;
  --open_;
  if (--oldest->second.open == 0) origins_.erase(oldest);
  return true;
}

void pool::retire() {
  if (abandoned_) return;
  for (auto at = origins_.begin(); at != origins_.end();) {
    auto& each = at->second;
    each.open -= each.idle.size();
    open_ -= each.idle.size();
    each.idle.clear();
    at = each.open == 0 ? origins_.erase(at) : std::next(at);
  }
  idle_ = 0;
  sweeper_->cancel();
  for (const auto& each : line_) each->ready.cancel();
}

void pool::sweep_later() {
  if (sweeping_) return;
  sweeping_ = true;
  sweeper_->expires_after(std::min(sweep_interval, owner_->settings.limits.keep_alive));
  sweeper_->async_wait([self = weak_from_this()](const error_code&) {
    const auto here = self.lock();
    if (!here || here->abandoned_) return;
    here->sweeping_ = false;
    here->sweep();
  });
}

void pool::sweep() {
  const auto now = std::chrono::steady_clock::now();
  for (auto at = origins_.begin(); at != origins_.end();) {
    auto& each = at->second;
    const auto dropped = std::erase_if(each.idle, [&](const auto& c) { return !worth_keeping(*c, now); });
    each.open -= dropped;
    open_ -= dropped;
    idle_ -= dropped;
    at = each.open == 0 ? origins_.erase(at) : std::next(at);
  }
  serve_line();
  if (idle_ > 0) sweep_later();
}

/// What the loop keeps. Calls under way may hold the pool for longer.
struct pool_place {
  explicit pool_place(std::shared_ptr<pool> p) : home(std::move(p)) {}
  ~pool_place() { home->abandon(); }
  pool_place(const pool_place&) = delete;
  pool_place& operator=(const pool_place&) = delete;
  const std::shared_ptr<pool> home;
};

std::shared_ptr<pool> pool_on(event_loop& loop, const std::shared_ptr<core>& owner) {
  if (const auto* const here = owner->pools.find(loop)) return here->home;
  auto made = std::make_shared<pool>(owner, loop.context());
  // Not kept when the client was stopped: then the place ends it, and it gives no connection.
  (void)owner->pools.keep(loop, std::make_shared<pool_place>(made));
  return made;
}

void retire_pools(core& owner) {
  owner.pools.close([](const pool_place& each) { each.home->retire(); });
  owner.pools.erase();
}

}  // namespace corbel::outgoing
