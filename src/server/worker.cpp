#include "server/worker.hpp"

#include <unistd.h>

#include <algorithm>

#include "corbel/http/problem.hpp"
#include "corbel/observe/log.hpp"
#include "server/connection.hpp"
#include "server/listener.hpp"

namespace corbel {
namespace {

/// The log tells of shed load at most this often.
constexpr std::chrono::seconds between_lines{10};

}  // namespace

worker::worker(event_loop& l, server_shared& s)
    : loop(l),
      shared(s),
      input(std::make_unique_for_overwrite<char[]>(input_size)),
      gate(s.settings.shed_above),
      keep_alive(s.settings.limits.keep_alive_timeout) {
  loop.lag().target(s.settings.shed_load ? s.settings.shed_above : std::chrono::milliseconds::zero());
}

worker::~worker() {
  close_all();
}

void worker::listen(int listening_fd) {
  listeners_.push_back(std::make_unique<listener>(*this, listening_fd));
}

void worker::accepted(int fd, std::string peer) {
  auto made = std::make_unique<connection>(*this, fd, std::move(peer));
  connection* const c = made.release();
  c->next_ = first_;
  if (first_) first_->previous_ = c;
  first_ = c;
  ++count_;
}

void worker::closed(connection& gone) noexcept {
  if (gone.previous_)
    gone.previous_->next_ = gone.next_;
  else
    first_ = gone.next_;
  if (gone.next_) gone.next_->previous_ = gone.previous_;
  --count_;
  shared.connections.fetch_sub(1, std::memory_order_relaxed);
  delete &gone;
}

void worker::drain(bool handed_over) {
  draining = true;
  keep_alive = std::min(keep_alive, shared.settings.idle_grace);
  if (!handed_over)
    for (auto& each : listeners_) each->accept_rest();
  listeners_.clear();
  loop.refresh_now();
  for (connection* c = first_; c;) {
    connection* const next = c->next_;
    c->drain();
    c = next;
  }
}

bool worker::memory_left() noexcept {
  if (!note_held(shared.held.load(std::memory_order_relaxed))) return false;
  loop.lag().press(false);
  return true;
}

void worker::turn_down(const resolved_route& route, request& asked, response& answer) {
  const auto number = shared.shed.fetch_add(1, std::memory_order_relaxed);
  ++shed_;
  if (loop.now() - shed_logged_ >= between_lines) {
    shed_logged_ = loop.now();
    shared.context.log.warn("shedding load", {{"refused", std::exchange(shed_, 0)}, {"path", asked.path()}});
  }
  answer.clear();
  // Not the same wait for all: they shall not come back all at once.
  route.refuse(asked,
               unavailable("The service has more to do than it can. Try again shortly.", "overloaded")
                   .retry_after(std::chrono::seconds(1 + number % 3)),
               answer);
}

void worker::give_up() noexcept {
  listeners_.clear();
  loop.refresh_now();
  for (connection* c = first_; c;) {
    connection* const next = c->next_;
    c->give_up();
    c = next;
  }
}

void worker::close_all() noexcept {
  listeners_.clear();
  while (first_) first_->destroy();
}

}  // namespace corbel
