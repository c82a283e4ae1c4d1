#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "corbel/http/body_stream.hpp"
#include "corbel/runtime/notification.hpp"

namespace corbel {

struct exchange;

/// The body of a response that is produced while it is sent: frames what the producer writes, and holds the
/// producer back when the client reads slowly. Lives in its exchange.
class departing_body final : public body_sink {
 public:
  /// How the client learns where the body ends.
  enum class framing : std::uint8_t { chunked, counted, until_close };

  departing_body(exchange& home, framing how, std::uint64_t length) : home_(home), how_(how), left_(length) {}

  task<> write(std::string_view bytes) override;
  task<> flush() override;

  framing how() const noexcept { return how_; }
  /// Whether as much was written as was announced.
  bool complete() const noexcept { return how_ != framing::counted || left_ == 0; }
  /// The client has taken some of it.
  void drained() { room_.notify(); }

 private:
  exchange& home_;
  framing how_;
  std::uint64_t left_;            // of a counted body
  std::size_t at_a_stretch_ = 0;  // bytes written since it last waited
  notification room_;
};

}  // namespace corbel
