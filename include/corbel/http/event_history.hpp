#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/http/event_stream.hpp>

namespace corbel {

/// The latest events of one stream, numbered, so that a client that comes back gets what it missed. Bounded
/// by count and by bytes; the newest event is always kept. Not thread-safe: `event_channel` is.
class event_history {
 public:
  event_history(std::size_t most_events, std::size_t most_bytes);

  /// Keeps an event and returns the id it was given, "4f1c9a2e77b3d012-17": the second number counts, the
  /// first tells this history from that of an earlier run. Throws std::invalid_argument for an event that has
  /// an id, and as `append_event`.
  std::string add(server_event e);

  /// A reader's place.
  struct position {
    std::uint64_t next = 0;  ///< the number of the first event it has not read
    /// What it will never read: a number of events; nothing when that cannot be known; 0 for none.
    std::optional<std::uint64_t> missed = 0;
  };
  /// Behind the event with that id; without one, or with an empty one, behind the newest. An id that is not
  /// of this history means that something was missed, and that all that is kept is new.
  position find(const std::optional<std::string>& last_id) const;
  /// Appends what follows `at`, as it goes over the wire, up to about `most_bytes`; `at` moves on, past what
  /// is no longer kept as well, which `at.missed` then counts.
  void read(position& at, std::string& out, std::size_t most_bytes) const;

  std::size_t size() const noexcept { return kept_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::size_t most_events_;
  std::size_t most_bytes_;
  std::string run_;
  std::uint64_t first_ = 1;  // the number of kept_.front()
  std::deque<std::string> kept_;
  std::size_t bytes_ = 0;
};

}  // namespace corbel
