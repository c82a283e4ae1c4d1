#include "load/poller.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace load {

void waiter::watch(int fd, bool for_writing) {
  if (fd == fd_ && for_writing == writing_) return;
  epoll_event event{};
  event.events = for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = this;
  if (::epoll_ctl(at_.set_, fd == fd_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  fd_ = fd;
  writing_ = for_writing;
}

void waiter::forget() noexcept {
  if (fd_ < 0) return;
  epoll_event unused{};
  ::epoll_ctl(at_.set_, EPOLL_CTL_DEL, fd_, &unused);
  fd_ = -1;
}

void waiter::suspend(std::coroutine_handle<> h, time_point until) {
  waiting_ = h;
  until_ = until;
  ++at_.waiting_;
  // An alarm that rings too early is put off when it rings; so a wait costs none as a rule.
  if (until >= alarm_) return;
  alarm_ = until;
  at_.alarms_.push({until, this});
}

poller::poller(bool spin) : set_(::epoll_create1(EPOLL_CLOEXEC)), spin_(spin), batch_(512) {
  if (set_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns; the default of 50,000 would delay every alarm
}

poller::~poller() {
  ::close(set_);
}

void poller::run() {
  while (waiting_ > 0) {
    const int ready = wait_for_events();
    refresh_now();
    for (int i = 0; i < ready; ++i) {
      auto& w = *static_cast<waiter*>(batch_[static_cast<std::size_t>(i)].data.ptr);
      if (!w.waiting_) continue;
      --waiting_;
      w.resume(waiter::woken::ready);
    }
    ring();
  }
}

void poller::ring() {
  while (!alarms_.empty() && alarms_.top().when <= now_) {
    const auto rung = alarms_.top();
    alarms_.pop();
    auto& w = *rung.whose;
    if (rung.when != w.alarm_) continue;  // an earlier alarm has taken its place
    w.alarm_ = time_point::max();
    if (!w.waiting_) continue;
    if (w.until_ > now_) {
      w.alarm_ = w.until_;
      alarms_.push({w.until_, &w});
      continue;
    }
    --waiting_;
    w.resume(waiter::woken::late);
  }
}

int poller::wait_for_events() {
  timespec limit{spin_ ? 0 : 3600, 0};
  if (!spin_ && !alarms_.empty()) {
    const auto left =
        std::max(std::chrono::nanoseconds(alarms_.top().when - clock::now()), std::chrono::nanoseconds(0));
    limit.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000);
    limit.tv_nsec = static_cast<long>(left.count() % 1'000'000'000);
  }
  return ::epoll_pwait2(set_, batch_.data(), static_cast<int>(batch_.size()), &limit, nullptr);
}

}  // namespace load
