#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "corbel/base/encoding.hpp"

/// The text of a member of bytes: base64 with its padding.
namespace corbel {

inline void append_bytes(std::string& out, const std::vector<std::byte>& bytes) {
  out += to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// False, with `out` as it was, when the text is no base64.
inline bool read_bytes(std::string_view text, std::vector<std::byte>& out) {
  const auto read = from_base64(text);
  if (!read) return false;
  const auto* first = reinterpret_cast<const std::byte*>(read->data());
  out.assign(first, first + read->size());
  return true;
}

}  // namespace corbel
