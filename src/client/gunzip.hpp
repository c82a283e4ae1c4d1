#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "corbel/base/error.hpp"

namespace corbel::outgoing {

/// Undoes gzip (RFC 1952), piece by piece: a few bytes that expand to gigabytes never fill the memory.
class gunzip {
 public:
  gunzip();
  ~gunzip();

  /// Takes bytes off the front of `in` and returns what they expand to, a view until the next call. Empty
  /// when it needs more, or when `why` was set.
  std::string_view next(std::string_view& in, std::optional<error>& why);
  /// Whether the data may end here: behind a member's checksum, or before the first byte.
  bool may_end() const noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace corbel::outgoing
