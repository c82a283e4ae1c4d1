#include "corbel/http/event_history.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "corbel/base/uuid.hpp"

namespace corbel {
namespace {

/// 16 hexadecimal digits that no other run has.
std::string name_of_run() {
  const auto text = to_text(uuid::v7());
  return text.substr(0, 8) + text.substr(28);  // the time, and randomness
}

}  // namespace

event_history::event_history(std::size_t most_events, std::size_t most_bytes)
    : most_events_(std::max<std::size_t>(most_events, 1)), most_bytes_(most_bytes), run_(name_of_run()) {}

std::string event_history::add(server_event e) {
  if (e.id())
    throw std::invalid_argument(
        "a history gives its events their ids; leave the id out, or put it into the data");
  std::string id = run_ + '-' + std::to_string(first_ + kept_.size());
  e.id(id);
  std::string text;
  append_event(text, e);
  bytes_ += text.size();
  kept_.push_back(std::move(text));
  while (kept_.size() > 1 && (kept_.size() > most_events_ || bytes_ > most_bytes_)) {
    bytes_ -= kept_.front().size();
    kept_.pop_front();
    ++first_;
  }
  return id;
}

event_history::position event_history::find(const std::optional<std::string>& last_id) const {
  const auto end = first_ + kept_.size();
  if (!last_id || last_id->empty()) return {end, 0};
  const std::string_view id = *last_id;
  std::uint64_t number = 0;
  const auto dash = id.find('-');
  const bool ours = id.substr(0, dash) == run_ && dash != std::string_view::npos;
  const auto read = ours ? std::from_chars(id.data() + dash + 1, id.data() + id.size(), number)
                         : std::from_chars_result{id.data(), std::errc::invalid_argument};
  if (read.ec != std::errc() || read.ptr != id.data() + id.size() || number >= end) return {first_, {}};
  return {number + 1, 0};
}

void event_history::read(position& at, std::string& out, std::size_t most_bytes) const {
  if (at.next < first_) {
    if (at.missed) *at.missed += first_ - at.next;
    at.next = first_;
  }
  const auto enough = out.size() + most_bytes;
  for (; at.next < first_ + kept_.size() && out.size() < enough; ++at.next)
    out += kept_[static_cast<std::size_t>(at.next - first_)];
}

}  // namespace corbel
