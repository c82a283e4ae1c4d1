#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <unordered_map>

namespace corbel {

/// How many handlers of one route may wait at once, on one thread. There is no limit until requests queue:
/// then it is what Little's law allows, the throughput that was measured times the time that a request may
/// take.
///
/// A queue is told from slowness by the QUICKEST answer of each window of time: behind a standing queue
/// nobody is quick. It is too long when it exceeds both the target and twice what the quickest takes without
/// a queue. What that is, is found again from time to time by letting in no more than would keep the resource
/// busy.
class route_load {
 public:
  using clock = std::chrono::steady_clock;
  using duration = clock::duration;

  explicit route_load(std::chrono::milliseconds target) : target_(target) {}

  bool full() const noexcept { return waiting_ >= limit_; }
  void enter() noexcept { ++waiting_; }
  void leave() noexcept { --waiting_; }
  void note_shed() noexcept { ++shed_; }
  /// A handler has answered after `took`.
  void note_answer(duration took, clock::time_point now) noexcept;

  std::size_t waiting() const noexcept { return waiting_; }
  /// `unlimited` while nothing queues.
  std::size_t limit() const noexcept { return limit_; }
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

 private:
  enum class stage : std::uint8_t { open, limited, draining, probing };

  void close_window(clock::time_point now) noexcept;
  void note_rate(clock::time_point now) noexcept;
  void judge(duration quickest, clock::time_point now) noexcept;
  std::size_t room_for(duration time) const noexcept;
  duration allowed() const noexcept;

  duration target_;
  std::size_t waiting_ = 0;
  std::size_t limit_ = unlimited;
  stage stage_ = stage::open;
  int late_windows_ = 0;
  duration base_ = duration::max();  // the quickest answer without a queue
  double rate_ = 0;  // answers a second; slow to fall: a limit of ours must not pass for the resource's
  clock::time_point next_probe_{};
  clock::time_point last_shed_{};
  // what the rate is taken from
  clock::time_point counted_since_{};
  std::uint32_t counted_ = 0;
  // the window
  clock::time_point began_{};
  std::uint32_t answers_ = 0;
  std::uint32_t shed_ = 0;
  duration quickest_ = duration::max();
};

/// A handler that waits, for as long as it does. Owned by its exchange, which may outlive the worker.
class gate_pass {
 public:
  gate_pass() = default;
  explicit gate_pass(std::shared_ptr<route_load> load) : load_(std::move(load)) { load_->enter(); }
  gate_pass(gate_pass&& other) noexcept = default;
  gate_pass& operator=(gate_pass&& other) noexcept {
    leave();
    load_ = std::move(other.load_);
    return *this;
  }
  ~gate_pass() { leave(); }

  /// It has answered, after a wait that tells of the load.
  void answered(route_load::duration took, route_load::clock::time_point now) noexcept {
    if (load_) load_->note_answer(took, now);
    leave();
  }
  void leave() noexcept {
    if (load_) load_->leave();
    load_.reset();
  }

 private:
  std::shared_ptr<route_load> load_;
};

/// The loads of all routes on one thread.
class load_gate {
 public:
  explicit load_gate(std::chrono::milliseconds target) : target_(target) {}

  /// `route` is whatever tells routes apart.
  const std::shared_ptr<route_load>& of(const void* route) {
    auto& found = loads_[route];
    if (!found) found = std::make_shared<route_load>(target_);
    return found;
  }

 private:
  std::chrono::milliseconds target_;
  std::unordered_map<const void*, std::shared_ptr<route_load>> loads_;
};

}  // namespace corbel
