#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "corbel/base/result.hpp"
#include "http/coding/coding.hpp"

namespace corbel::coding {

/// How far a body may grow while its coding is undone.
struct growth_limits {
  std::uint64_t bytes = 0;  ///< of the body when it is decoded
  std::uint64_t ratio = 0;  ///< how many times its encoded length, once it is longer than `free_bytes`
  std::uint64_t free_bytes = 64 * 1024;
};

/// A decoder that a hostile body cannot blow up: it stops at the first byte past a limit, so it never holds
/// more than `room` bytes that nobody wants.
class limited_decoder {
 public:
  limited_decoder(format f, const growth_limits& limits) : decoder_(f), limits_(limits) {}

  /// Decodes on: appends at most `room` bytes to `out`. True when it stopped for want of room, so that there
  /// is more to come from the same input. The errors: malformed for what is no such format,
  /// payload_too_large.
  result<bool> take(std::string_view& in, std::string& out, std::size_t room);
  /// To be asked behind the last byte, when `take` has no more to give: malformed when the end is missing.
  result<void> finish() const;

 private:
  decoder decoder_;
  growth_limits limits_;
  std::uint64_t taken_ = 0;
  std::uint64_t made_ = 0;
  bool ended_ = false;
};

}  // namespace corbel::coding
