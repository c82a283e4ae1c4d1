#include "load/user.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <stdexcept>

namespace load {
namespace {

constexpr std::chrono::milliseconds before_retry{10};

}  // namespace

stage::stage(const plan& p) : wanted(p), loop(p.spin) {
  address.sin_family = AF_INET;
  address.sin_port = htons(p.port);
  if (::inet_pton(AF_INET, p.host.c_str(), &address.sin_addr) != 1)
    throw std::invalid_argument("the host must be a numeric IPv4 address, not \"" + p.host + "\"");
  const auto one = request_text(p);
  request_size = one.size();
  for (std::size_t i = 0; i <= p.depth; ++i) requests += one;
}

user::user(stage& s, std::size_t index, std::size_t count)
    : stage_(s), index_(index), count_(count), waiter_(s.loop), ring_(s.wanted.depth) {}

user::~user() {
  if (fd_ < 0) return;
  // A reset leaves no TIME_WAIT behind: 10,000 of them a run would soon use up the machine's ports.
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  disconnect();
}

detached user::prepare() {
  ++stage_.busy;
  auto& loop = stage_.loop;
  const auto until = loop.now() + stage_.wanted.patience;
  connect();
  send(loop.now(), 1);
  while (flying_ && (fd_ >= 0 || loop.now() < until)) {
    if (fd_ < 0 && loop.now() >= retry_at_) connect();
    const auto latest = fd_ < 0 ? retry_at_ : time_point::max();
    const auto woken = co_await waiter_.until(latest);
    if (fd_ < 0 || woken != waiter::woken::ready) continue;
    if (unwritten_) flush();
    if (fd_ >= 0) read();
  }
  lose_all(&tally::timed_out);
  --stage_.busy;
}

detached user::take_part() {
  ++stage_.busy;
  free_since_ = stage_.first;
  if (stage_.wanted.seed) {
    std::seed_seq both{*stage_.wanted.seed, std::uint64_t{index_}};
    chance_.seed(both);
  }
  if (stage_.open_loop()) schedule_next();
  while (!finished()) {
    if (fd_ < 0 && stage_.loop.now() >= retry_at_) connect();
    if (fd_ >= 0) send_due();
    const auto woken = co_await waiter_.until(next_wake());
    if (fd_ < 0 || woken != waiter::woken::ready) continue;
    if (unwritten_) flush();
    if (fd_ >= 0) read();
  }
  settle_accounts();
  --stage_.busy;
}

bool user::lost() const noexcept {
  char byte;
  return fd_ < 0 || ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

/// What was in flight when the last connection ended is sent again.
void user::connect() {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw std::runtime_error("no more descriptors; raise `ulimit -n`");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  established_ = false;
  reader_.clear();
  const auto* to = reinterpret_cast<const sockaddr*>(&stage_.address);
  if (::connect(fd_, to, sizeof stage_.address) != 0 && errno != EINPROGRESS) return connection_ended();
  waiter_.watch(fd_, false);
  unwritten_ = flying_ * stage_.request_size;
  if (!unwritten_) return;
  stage_.loop.refresh_now();
  for (std::size_t i = 0; i < flying_; ++i) in_flight(i).sent = stage_.loop.now();
  flush();
}

void user::disconnect() noexcept {
  if (fd_ < 0) return;
  waiter_.forget();
  ::close(fd_);
  fd_ = -1;
  unwritten_ = 0;
}

void user::send_due() {
  const auto& p = stage_.wanted;
  if (!stage_.open_loop()) {
    if (flying_ == 0 && stage_.loop.now() < stage_.to) {
      stage_.loop.refresh_now();
      send(stage_.loop.now(), p.depth);
    }
    return;
  }
  while (flying_ < p.depth && more_due(stage_.loop.now())) {
    const auto due = next_due_;
    schedule_next();
    stage_.result.lag.record(stage_.loop.now() - std::max(due, free_since_));
    send(due, 1);
    if (fd_ < 0) return;
  }
}

/// Only while a slot of the ring is free for each of them.
void user::send(time_point since, std::size_t requests) {
  for (std::size_t i = 0; i < requests; ++i) in_flight(flying_++) = {since, stage_.loop.now()};
  stage_.result.all.due += requests;
  const bool blocked = unwritten_ != 0;
  unwritten_ += requests * stage_.request_size;
  if (fd_ >= 0 && !blocked) flush();
}

void user::flush() {
  // All requests are the same, so what is left of them is the end of any row of them.
  const auto rest = std::string_view(stage_.requests).substr(stage_.requests.size() - unwritten_);
  const ssize_t n = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return connection_ended();
  if (n > 0) {
    established_ = true;
    unwritten_ -= static_cast<std::size_t>(n);
  }
  waiter_.watch(fd_, unwritten_ != 0);
}

void user::read() {
  const ssize_t n = ::recv(fd_, stage_.input.get(), stage::input_size, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (const auto last = reader_.end(); last && flying_) take(*last);
    return connection_ended();
  }
  established_ = true;
  std::string_view bytes(stage_.input.get(), static_cast<std::size_t>(n));
  while (!bytes.empty()) {
    const auto r = reader_.next(bytes);
    if (reader_.broken() || (r && !flying_)) {  // or a reply that nobody asked for
      if (!flying_) ++stage_.result.all.due, ++stage_.result.all.malformed;
      lose_all(&tally::malformed);
      return connection_ended();
    }
    if (!r) return;
    take(*r);
    if (!r->closes) continue;
    // Announced: what was pipelined behind this reply goes to the next connection (RFC 9112, 9.3.2).
    ++stage_.result.all.reconnects;
    stage_.result.all.resent += flying_;
    disconnect();
    retry_at_ = {};
    return;
  }
}

void user::take(const reply& r) {
  const auto now = stage_.loop.now();
  const auto& p = stage_.wanted;
  auto& all = stage_.result.all;
  const auto done = in_flight(0);
  answered_ = true;
  oldest_ = (oldest_ + 1) % ring_.size();
  if (flying_-- == p.depth) free_since_ = now;
  if (r.status != p.status) {
    ++all.wrong_status;
  } else if (p.length && r.length != *p.length) {
    ++all.wrong_length;
  } else {
    ++all.answered;
    if (stage_.measuring) ++all.within_window;
    if (stage_.started && done.since >= stage_.from && done.since < stage_.to)
      stage_.result.latency.record(now - done.since);
  }
}

void user::connection_ended() {
  const bool was_there = established_;
  disconnect();
  if (was_there || overdue_) {
    lose_all(std::exchange(overdue_, false) ? &tally::timed_out : &tally::broken);
    retry_at_ = {};
  } else {
    ++stage_.result.all.refused;  // nothing of ours was read: it is sent with the next attempt
    retry_at_ = stage_.loop.now() + before_retry;
  }
}

void user::give_up_on_slow() noexcept {
  if (fd_ < 0 || !flying_ || overdue_) return;
  const auto now = stage_.loop.now();
  const bool over = stage_.started && now >= stage_.deadline;
  if (!over && ring_[oldest_].sent + stage_.wanted.patience > now) return;
  // The coroutine learns of it as of any other end of the connection.
  overdue_ = true;
  ::shutdown(fd_, SHUT_RDWR);
}

void user::lose_all(std::uint64_t tally::*as) noexcept {
  stage_.result.all.*as += std::exchange(flying_, 0);
  free_since_ = stage_.loop.now();
}

void user::settle_accounts() {
  lose_all(&tally::timed_out);
  if (!stage_.open_loop()) return;
  for (; more_due(stage_.to); schedule_next()) {
    ++stage_.result.all.due;
    ++stage_.result.all.unconnected;
  }
}

void user::schedule_next() {
  const auto rate = stage_.wanted.rate;
  const auto users = static_cast<double>(count_);
  if (stage_.wanted.seed) {
    std::exponential_distribution<double> gap(rate / users);
    const auto from = scheduled_++ == 0 ? stage_.first : next_due_;
    next_due_ = from + std::chrono::nanoseconds(std::llround(gap(chance_) * 1e9));
    return;
  }
  const auto ordinal = static_cast<double>(scheduled_++) * users + static_cast<double>(index_);
  next_due_ = stage_.first + std::chrono::nanoseconds(std::llround(ordinal * 1e9 / rate));
}

time_point user::next_wake() const {
  if (fd_ < 0) return std::min(stage_.deadline, retry_at_);
  if (stage_.open_loop() && flying_ < stage_.wanted.depth && next_due_ < stage_.to) return next_due_;
  return time_point::max();  // whatever is in flight is answered, or given up
}

bool user::finished() const {
  const auto now = stage_.loop.now();
  if (now >= stage_.deadline) return true;
  if (flying_) return false;
  return stage_.open_loop() ? next_due_ >= stage_.to : now >= stage_.to;
}

}  // namespace load
