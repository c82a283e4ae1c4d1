#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "load/plan.hpp"
#include "load/poller.hpp"
#include "load/reply_reader.hpp"

namespace load {

/// What the users of one run share.
struct stage {
  /// Throws std::invalid_argument when the host is no numeric address.
  explicit stage(const plan& p);

  static constexpr std::size_t input_size = 256 * 1024;

  const plan& wanted;
  poller loop;
  outcome result;
  sockaddr_in address{};
  std::size_t request_size = 0;
  std::string requests;  ///< one more than are ever in flight, so that any part of them is one piece
  std::unique_ptr<char[]> input = std::make_unique<char[]>(input_size);

  bool started = false;     ///< before, each user asks once and waits
  bool measuring = false;   ///< the server's CPU is being measured
  std::size_t busy = 0;     ///< users that are preparing or taking part
  time_point first{};       ///< when the first request is due
  time_point from{}, to{};  ///< the measured time; nothing is due behind it
  time_point deadline{};    ///< the end, whatever is still out then

  bool open_loop() const noexcept { return wanted.rate > 0; }
};

/// One connection and its requests, as a coroutine. It connects again whenever the server ends the
/// connection.
class user {
 public:
  /// The `index`th of `count` users that share the load.
  user(stage& s, std::size_t index, std::size_t count);
  ~user();
  user(const user&) = delete;
  user& operator=(const user&) = delete;

  /// Connects and asks once. When the loop has nothing left to do, `answered` says whether it was.
  detached prepare();
  bool answered() const noexcept { return answered_; }
  /// The user's share of the load, once the stage is `started`.
  detached take_part();

  /// Ends the connection when a reply is overdue; to be called now and then while it takes part or prepares.
  void give_up_on_slow() noexcept;

  /// Keeps the connection and no longer looks at it.
  void rest() noexcept { waiter_.forget(); }
  /// Whether the server has ended a connection that rests.
  bool lost() const noexcept;

 private:
  struct flight {
    time_point since;  ///< its latency counts from here
    time_point sent;
  };

  void connect();
  void disconnect() noexcept;
  void send_due();
  void send(time_point since, std::size_t requests);
  void flush();
  void read();
  void take(const reply& r);
  void connection_ended();
  void lose_all(std::uint64_t tally::*as) noexcept;
  void settle_accounts();
  void schedule_next();
  bool more_due(time_point by) const { return next_due_ <= by && next_due_ < stage_.to; }
  time_point next_wake() const;
  bool finished() const;
  flight& in_flight(std::size_t i) { return ring_[(oldest_ + i) % ring_.size()]; }

  stage& stage_;
  std::size_t index_, count_;
  int fd_ = -1;
  bool established_ = false;  // the server has taken something from us
  bool overdue_ = false;
  bool answered_ = false;
  waiter waiter_;
  reply_reader reader_;
  time_point retry_at_{};

  std::uint64_t scheduled_ = 0;  // requests of the schedule that were sent, and the next one
  time_point next_due_{};
  std::minstd_rand chance_;
  std::vector<flight> ring_;  // what is in flight, in its order
  std::size_t oldest_ = 0, flying_ = 0;
  std::size_t unwritten_ = 0;  // bytes of them that the socket has not taken
  time_point free_since_{};    // the connection could have taken another request from then on
};

}  // namespace load
