#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/connection.hpp"
#include "client/core.hpp"

namespace corbel::outgoing {

class pool;

/// The right to one connection: an idle one, or the room for a new one. Destroying it closes the connection
/// and gives the room to who waits for it.
class lease {
 public:
  lease() = default;
  lease(std::shared_ptr<pool> home, std::string origin, std::shared_ptr<connection> c)
      : home_(std::move(home)), origin_(std::move(origin)), connection_(std::move(c)) {}
  lease(lease&& other) noexcept = default;
  lease& operator=(lease&& other) noexcept;
  ~lease() { end(); }

  explicit operator bool() const noexcept { return connection_ != nullptr; }
  const std::shared_ptr<connection>& get() const noexcept { return connection_; }
  connection* operator->() const noexcept { return connection_.get(); }
  /// Puts the connection back for the next call: it must be between two messages.
  void keep();
  void end();

 private:
  std::shared_ptr<pool> home_;
  std::string origin_;
  std::shared_ptr<connection> connection_;
};

/// One client's connections on one loop. Not thread-safe: it lives on that loop.
class pool : public std::enable_shared_from_this<pool> {
 public:
  pool(std::shared_ptr<core> owner, boost::asio::io_context& loop);
  ~pool();
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  /// A connection to `origin`; a `fresh` one when an old one has just failed. Waits in line until `due`.
  task<result<lease>> acquire(std::string origin, bool fresh, time_point due);
  /// Closes what is idle; connections in use end with their call. To be called on the loop.
  void retire();
  /// The loop, or the client, is going away: nothing waits here any more, and nothing is kept.
  void abandon() noexcept;

 private:
  friend class lease;
  struct waiter {
    waiter(boost::asio::io_context& loop, std::string o, bool f)
        : ready(loop), origin(std::move(o)), fresh(f) {}
    boost::asio::steady_timer ready;
    std::string origin;
    bool fresh;
    bool queued = true;
    lease granted;
  };
  /// Leaves the line when the waiting coroutine ends, for whatever reason.
  struct place_in_line;
  struct origin_state {
    std::vector<std::shared_ptr<connection>> idle;  // the one used last stands last
    std::size_t open = 0;                           // idle ones, those in use, and granted room
  };

  lease try_take(const std::string& origin, bool fresh);
  void put_back(const std::string& origin, std::shared_ptr<connection> c);
  void give_up(const std::string& origin);
  void serve_line();
  bool drop_oldest_idle();
  bool worth_keeping(connection& c, time_point now) const;
  void sweep_later();
  void sweep();

  std::shared_ptr<core> owner_;
  boost::asio::io_context& loop_;
  std::unordered_map<std::string, origin_state> origins_;
  std::size_t open_ = 0;
  std::size_t idle_ = 0;
  std::list<std::shared_ptr<waiter>> line_;
  std::unique_ptr<boost::asio::steady_timer> sweeper_;
  bool sweeping_ = false;
  bool abandoned_ = false;
};

}  // namespace corbel::outgoing
