#pragma once

#include <cstddef>

namespace corbel::coding {

/// Where codecs take their memory: a compressor needs a quarter of a megabyte, and a thread that has answered
/// one request hands the same blocks to the next instead of returning them to the system. At most 4 MiB are
/// kept for each thread. A block may be given back on another thread than the one it was taken on.
void* take_block(std::size_t bytes) noexcept;
void give_block(void* block) noexcept;

}  // namespace corbel::coding
