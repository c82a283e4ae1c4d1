#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <corbel/data/database.hpp>
#include <corbel/runtime/task.hpp>

namespace corbel::postgres {

/// What a NOTIFY said.
struct notification {
  std::string channel;
  std::string payload;  ///< "" when there was none
};

/// In place of notifications that were sent while nobody could hear them: the connection was away, or they
/// came faster than they were taken. Listening goes on: what is read from the tables now is no older than the
/// gap.
struct may_have_missed {};

using heard = std::variant<notification, may_have_missed>;

namespace detail {
struct subscription;
}
class notification_hub;

/// What is said on some channels, in the order in which it was said. Made by `database::listen`; all streams
/// of one event loop share one connection. Belongs to the loop that made it, and is used by one coroutine at
/// a time. Destroying it ends the listening.
class notification_stream {
 public:
  notification_stream(std::shared_ptr<detail::subscription> mine,
                      std::weak_ptr<notification_hub> hub) noexcept;
  notification_stream(notification_stream&&) noexcept = default;
  notification_stream& operator=(notification_stream&&) = delete;
  ~notification_stream();

  /// Waits for as long as it takes. After the connection broke it listens again, for as long as that takes,
  /// and then gives `may_have_missed` behind what came before. Throws `failure` (unavailable) when the
  /// database was stopped. Cancelling ends the wait and loses nothing.
  task<heard> next();

 private:
  std::shared_ptr<detail::subscription> mine_;
  std::weak_ptr<notification_hub> hub_;
};

}  // namespace corbel::postgres
