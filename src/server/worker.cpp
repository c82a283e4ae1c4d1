#include "server/worker.hpp"

#include <unistd.h>

#include "server/connection.hpp"
#include "server/listener.hpp"

namespace corbel {

worker::worker(event_loop& l, server_shared& s)
    : loop(l), shared(s), input(std::make_unique_for_overwrite<char[]>(input_size)) {}

worker::~worker() {
  close_all();
}

void worker::listen(int listening_fd) {
  listener_ = std::make_unique<listener>(*this, listening_fd);
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

void worker::drain() {
  draining = true;
  if (listener_) listener_->accept_rest();
  listener_.reset();
  for (connection* c = first_; c;) {
    connection* const next = c->next_;
    c->drain();
    c = next;
  }
}

void worker::close_all() noexcept {
  listener_.reset();
  while (first_) first_->destroy();
}

}  // namespace corbel
