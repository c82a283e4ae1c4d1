#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "corbel/base/error.hpp"
#include "corbel/http/body_stream.hpp"
#include "corbel/runtime/notification.hpp"
#include "server/http1/chunked.hpp"
#include "server/http1/head.hpp"
#include "server/pace.hpp"

namespace corbel {

struct exchange;
struct server_limits;

/// The body of a request whose handler reads it while it arrives. The connection feeds it; the handler takes
/// from it. Lives in its exchange.
class arriving_body final : public body_source {
 public:
  arriving_body(exchange& home, const http1::message_framing& framing, std::size_t limit,
                const server_limits& limits);

  task<std::string_view> read() override;

  /// Takes from the front of `bytes` what belongs to the body.
  void feed(std::string_view& bytes);
  /// Nothing more will come.
  void fail(error why);

  /// Whether the connection should go on reading.
  bool wants_more() const noexcept { return !over() && ready_.size() < enough; }
  /// Whether the last byte has arrived, and was not too many.
  bool complete() const noexcept { return complete_; }
  bool over() const noexcept { return complete_ || failed_; }
  /// Whether the handler waits for the client now.
  bool starves() const noexcept { return starves_; }
  /// Until when the client is waited for, while the handler `starves`.
  std::chrono::steady_clock::time_point due() const noexcept { return pace_.due(); }

 private:
  static constexpr std::size_t enough = 64 * 1024;  // bytes held for a handler that reads slowly

  exchange& home_;
  std::optional<http1::chunked_reader> chunks_;
  std::uint64_t left_ = 0;   // without chunks
  std::uint64_t taken_ = 0;  // bytes handed to the handler
  std::size_t limit_;
  bool ask_to_continue_;
  bool complete_ = false;
  bool starves_ = false;
  std::optional<error> failed_;
  std::string ready_;  // arrived, not read yet
  std::string given_;  // what the handler looks at
  const server_limits& limits_;
  pace pace_;
  std::chrono::steady_clock::duration patience_;  // what is left of it while nobody waits
  notification changed_;
};

}  // namespace corbel
