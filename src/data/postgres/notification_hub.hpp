#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "corbel/data/postgres/notifications.hpp"
#include "data/postgres/pool.hpp"

namespace corbel::postgres {

/// What one stream has heard and not yet given.
struct detail::subscription {
  std::vector<std::string> channels;
  std::size_t most_buffered = 0;
  std::deque<heard> buffered;
  call_ptr asked;            // its LISTEN, under way
  bool established = false;  // has listened once
  bool missed = false;       // a gap that was not told yet
  std::optional<error> ended;
  steady::time_point give_up{};  // while it is not established
  std::unique_ptr<corbel::detail::suspended> waiter;
};

/// The connection of one loop that listens, for all its streams. Belongs to the loop.
class notification_hub final : public connection_owner,
                               public std::enable_shared_from_this<notification_hub> {
 public:
  using subscription_ptr = std::shared_ptr<detail::subscription>;

  notification_hub(event_loop& loop, std::shared_ptr<shared_state> shared);
  ~notification_hub();

  void add(const subscription_ptr& fresh);
  void remove(const subscription_ptr& old);
  /// Ends every stream.
  void close();
  /// The loop goes away: so do the connection, and the coroutines that wait here.
  void end();

  /// Until something is buffered, `established` or `ended`.
  static task<> wait(subscription_ptr mine);

  /// Nobody notices a connection that is gone without a word while nothing is said on it: after so long it is
  /// asked for a sign of life. Tests do not wait for it.
  steady::duration ping_after = std::chrono::seconds(10);

 private:
  void on_done(call_ptr ended) override;
  void on_progress(connection& where) override;
  void on_returned(call_ptr what) override;
  void on_broken(connection& where, std::vector<call_ptr> unsent, const std::string& why) override;
  void on_unsent(connection& where) override;
  void cancel_on_server(connection&) override {}  // none of its statements is ever cancelled
  void on_notification(connection& where, std::string_view channel, std::string_view payload) override;

  void open();
  void opened(std::unique_ptr<link> made, const std::string& why);
  void ask(const std::vector<subscription_ptr>& whom);
  void unlisten(const std::vector<std::string>& channels);
  void listens_to(const std::vector<std::string>& channels);
  void try_again_later(const std::string& why);
  void leave();
  void arm_tick();
  void tick();

  event_loop& loop_;
  const std::shared_ptr<shared_state> shared_;
  std::shared_ptr<connection> connection_;
  std::vector<subscription_ptr> streams_;
  std::map<std::string, std::vector<subscription_ptr>, std::less<>> by_channel_;
  std::map<call_ptr, std::vector<std::string>> asked_;  // LISTENs under way
  std::set<std::string> listening_;                     // on this connection
  boost::asio::steady_timer timer_;
  bool ticking_ = false;
  bool flush_posted_ = false;
  bool opening_ = false;
  bool closed_ = false;
  corbel::detail::backoff backoff_;  // of connecting and listening
  steady::time_point next_attempt_{};
  steady::time_point idle_since_{};
  std::string last_failure_;
};

}  // namespace corbel::postgres
