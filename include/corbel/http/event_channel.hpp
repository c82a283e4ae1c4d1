#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <corbel/http/event_history.hpp>
#include <corbel/http/event_stream.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel {

// GCC takes a scoped enumerator that is named like a function for one that hides it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
/// What becomes of a subscriber that reads so slowly that events are forgotten before it got them.
enum class slow_subscriber : std::uint8_t {
  skip,   ///< it is told by a "missed" event, and goes on with the oldest that is kept
  close,  ///< its stream ends; when it comes back it is told the same
};
#pragma GCC diagnostic pop

struct event_channel_settings {
  std::size_t events = 1024;        ///< kept for those who come back, and for slow readers
  std::size_t bytes = 1024 * 1024;  ///< of them together
  slow_subscriber slow = slow_subscriber::skip;
};

class event_subscription;

/// News for any number of event streams. Thread-safe: publish from any thread, subscribe on any loop. An
/// event is formatted once and kept once, whoever reads it: a subscriber is a place in the history, so a slow
/// one costs nothing more.
///
///     event_stream prices(state<event_channel> news, last_event_id last) {
///       return event_stream(news->subscribe(last));
///     }
class event_channel {
 public:
  explicit event_channel(event_channel_settings settings = {});
  /// Ends the streams of all subscribers.
  ~event_channel();
  event_channel(const event_channel&) = delete;
  event_channel& operator=(const event_channel&) = delete;

  /// Gives the event an id, which is returned, and sends it to all. Throws as `event_history::add`. Nothing
  /// is sent after `close`.
  std::string publish(server_event e);
  template <class T>
  std::string publish_json(const T& value, server_event rest = server_event()) {
    rest.data(json::to_text(value));
    return publish(std::move(rest));
  }

  /// From now on; or, for a client that comes back, from where it left. What cannot be had any more is
  /// told to it by an event named "missed", whose data is {"count":3}, or {"count":null} where the number is
  /// not known: it had better fetch the whole state again.
  event_subscription subscribe(const last_event_id& last = last_event_id());

  /// Subscribers get what was published, then their streams end.
  void close();
  std::size_t subscribers() const;

 private:
  friend class event_subscription;
  struct core;
  std::shared_ptr<core> core_;
};

/// A client's place in a channel: a producer for `event_stream`. It may outlive the channel.
class event_subscription {
 public:
  event_subscription(event_subscription&& other) noexcept = default;
  event_subscription& operator=(event_subscription&&) = delete;
  ~event_subscription();

  /// Sends what is published until the channel closes. Once.
  task<> operator()(event_sink& to);

 private:
  friend class event_channel;
  event_subscription(std::shared_ptr<event_channel::core> of, event_history::position at);

  std::shared_ptr<event_channel::core> core_;
  event_history::position at_;
};

}  // namespace corbel
