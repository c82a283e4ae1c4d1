#include "corbel/runtime/readiness.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace corbel {
namespace {

constexpr int events_at_once = 512;
/// Under load the next batch is ready when one is done: looking again costs one system call, going round
/// through Asio three. Bounded, so that timers, coroutines and other threads' work get their turn.
constexpr int most_rounds = 4;

std::uint32_t mask_of(interest what) {
  std::uint32_t mask = 0;
  if (what == interest::read || what == interest::read_write) mask |= EPOLLIN;
  if (what == interest::write || what == interest::read_write) mask |= EPOLLOUT;
  return mask;
}

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

}  // namespace

/// Shared with the wait in flight, whose completion may already be queued when the set goes away.
struct readiness_set::impl : std::enable_shared_from_this<impl> {
  explicit impl(boost::asio::io_context& context) : descriptor(context, make_epoll()) {}

  boost::asio::posix::stream_descriptor descriptor;
  std::array<epoll_event, events_at_once> batch;
  int batch_count = 0;
  std::size_t watched = 0;
  std::uint64_t wait = 0;  // the wait in flight
  bool waiting = false;
  bool closed = false;
  void (*hook)(void*, bool) = nullptr;
  void* hook_context = nullptr;

  int fd() { return descriptor.native_handle(); }

  void control(int operation, int target, interest what, readiness_handler& handler) {
    epoll_event event{};
    event.events = mask_of(what);
    event.data.ptr = &handler;
    if (::epoll_ctl(fd(), operation, target, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }

  /// The context is kept busy only while something is watched, so that an idle program's run() may return.
  void arm() {
    if (waiting || closed || watched == 0) return;
    waiting = true;
    descriptor.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [self = shared_from_this(), mine = ++wait](const boost::system::error_code& failed) {
          // A wait that was cancelled too late completes all the same, beside its successor.
          if (failed || self->closed || mine != self->wait) return;
          self->waiting = false;
          for (int round = 0; round < most_rounds && !self->closed && self->dispatch(round > 0); ++round) {
          }
          self->arm();
        });
  }

  /// False when nothing was ready.
  bool dispatch(bool follows) {
    batch_count = ::epoll_wait(fd(), batch.data(), events_at_once, 0);
    if (hook) hook(hook_context, follows);
    for (int i = 0; i < batch_count && !closed; ++i) {
      const auto& event = batch[static_cast<std::size_t>(i)];
      auto* handler = static_cast<readiness_handler*>(event.data.ptr);
      if (!handler) continue;  // removed by an earlier handler of this batch
      const std::uint32_t events = event.events;
      handler->on_ready({(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
                         (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
                         (events & (EPOLLHUP | EPOLLERR)) != 0});
    }
    return std::exchange(batch_count, 0) > 0;
  }

  void forget(readiness_handler& handler) {
    for (int i = 0; i < batch_count; ++i) {
      auto& event = batch[static_cast<std::size_t>(i)];
      if (event.data.ptr == &handler) event.data.ptr = nullptr;
    }
  }
};

readiness_set::readiness_set(boost::asio::io_context& context) : impl_(std::make_shared<impl>(context)) {}
readiness_set::~readiness_set() {
  impl_->closed = true;
  boost::system::error_code ignored;
  impl_->descriptor.close(ignored);
}

void readiness_set::add(int fd, interest what, readiness_handler& handler) {
  impl_->control(EPOLL_CTL_ADD, fd, what, handler);
  ++impl_->watched;
  impl_->arm();
}

void readiness_set::change(int fd, interest what, readiness_handler& handler) {
  impl_->control(EPOLL_CTL_MOD, fd, what, handler);
}

void readiness_set::remove(int fd, readiness_handler& handler) noexcept {
  impl_->forget(handler);
  epoll_event unused{};
  if (::epoll_ctl(impl_->fd(), EPOLL_CTL_DEL, fd, &unused) != 0) return;
  if (--impl_->watched == 0 && impl_->waiting) {
    impl_->waiting = false;
    ++impl_->wait;
    boost::system::error_code ignored;
    impl_->descriptor.cancel(ignored);
  }
}

void readiness_set::before_batch(void (*hook)(void*, bool), void* context) noexcept {
  impl_->hook = hook;
  impl_->hook_context = context;
}

}  // namespace corbel
