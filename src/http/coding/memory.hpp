#pragma once

#include <cstddef>

namespace corbel::coding {

/// Where codecs take their memory: a compressor needs a quarter of a megabyte, and a thread that has answered
/// one request hands the same blocks to the next instead of returning them to the system. At most 4 MiB are
/// kept for each thread. A block may be given back on another thread than the one it was taken on.
void* take_block(std::size_t bytes) noexcept;
void give_block(void* block) noexcept;

/// The same, as zlib and Brotli ask for it; their first argument is a caller's own, and unused.
inline void* take_for_zlib(void*, unsigned items, unsigned size) {
  return take_block(std::size_t{items} * size);
}
inline void* take_for_brotli(void*, std::size_t bytes) {
  return take_block(bytes);
}
inline void give_back(void*, void* block) {
  give_block(block);
}

}  // namespace corbel::coding
