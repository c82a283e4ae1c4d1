#include "server/arriving_body.hpp"

#include <algorithm>

#include "corbel/server/settings.hpp"
#include "http/body_limit.hpp"
#include "server/connection.hpp"
#include "server/exchange.hpp"

namespace corbel {

arriving_body::arriving_body(exchange& home, const http1::message_framing& framing, std::size_t limit,
                             const server_limits& limits)
    : home_(home),
      limit_(limit),
      ask_to_continue_(framing.expects_continue),
      limits_(limits),
      patience_(limits.request_timeout) {
  if (framing.chunked)
    chunks_.emplace();
  else
    left_ = framing.content_length;
}

void arriving_body::feed(std::string_view& bytes) {
  if (over() || bytes.empty()) return;
  const auto now = std::chrono::steady_clock::now();
  if (!starves()) pace_.begin(now, patience_);
  pace_.moved(bytes.size(), limits_.min_rate, now, limits_.request_timeout);
  patience_ = pace_.due() - now;
  ask_to_continue_ = false;  // it did not wait to be asked
  if (chunks_) {
    std::optional<error> why;
    // The reader's limit is for what it appends to; what was handed out already counts as well.
    const auto room = static_cast<std::size_t>(limit_ - std::min<std::uint64_t>(limit_, taken_));
    switch (chunks_->feed(bytes, ready_, room, why)) {
      case http1::chunked_reader::outcome::incomplete: break;
      case http1::chunked_reader::outcome::complete: complete_ = true; break;
      case http1::chunked_reader::outcome::refused:
        failed_ = why->kind() == error_kind::payload_too_large ? body_too_large(limit_) : std::move(*why);
        break;
    }
  } else {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    ready_.append(bytes.substr(0, n));
    bytes.remove_prefix(n);
    left_ -= n;
    complete_ = left_ == 0;
  }
  starves_ = false;
  changed_.notify();
}

void arriving_body::fail(error why) {
  if (over()) return;
  failed_ = std::move(why);
  starves_ = false;
  changed_.notify();
}

task<std::string_view> arriving_body::read() {
  given_.clear();
  pace_.begin(std::chrono::steady_clock::now(), patience_);  // the client's time runs while it is waited for
  while (ready_.empty() && !over()) {
    if (!home_.owner) fail(client_gone());
    if (over()) break;
    starves_ = true;  // before the connection decides how long it waits
    home_.owner->pull(std::exchange(ask_to_continue_, false));
    co_await changed_.wait();
  }
  // What arrived before a failure is still the client's word; the handler hears of the failure behind it.
  if (ready_.empty() && failed_) throw failure(*failed_);
  given_.swap(ready_);
  taken_ += given_.size();
  if (home_.owner) home_.owner->pull(false);
  co_return given_;
}

}  // namespace corbel
