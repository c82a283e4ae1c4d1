#include "http/coding/memory.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

namespace corbel::coding {
namespace {

constexpr std::size_t smallest_kept = 4 * 1024;  // below that malloc is as quick
constexpr std::size_t most_kept = 4 * 1024 * 1024;

/// In front of each block; as large as malloc's alignment, so that the block is aligned as well.
struct alignas(std::max_align_t) header {
  std::size_t bytes;
};

thread_local bool thread_ends = false;  // outlives the cache: objects that end later still give blocks back

struct cache {
  std::array<header*, 16> kept{};
  std::size_t count = 0;
  std::size_t bytes = 0;

  ~cache() {
    thread_ends = true;
    while (count > 0) std::free(kept[--count]);
  }

  header* find(std::size_t wanted) noexcept {
    for (std::size_t i = count; i-- > 0;) {
      if (kept[i]->bytes != wanted) continue;
      header* const found = kept[i];
      kept[i] = kept[--count];
      bytes -= wanted;
      return found;
    }
    return nullptr;
  }

  bool keep(header* block) noexcept {
    if (count == kept.size() || bytes + block->bytes > most_kept) return false;
    kept[count++] = block;
    bytes += block->bytes;
    return true;
  }
};

cache& of_this_thread() noexcept {
  thread_local cache mine;
  return mine;
}

}  // namespace

void* take_block(std::size_t bytes) noexcept {
  header* block = bytes >= smallest_kept && !thread_ends ? of_this_thread().find(bytes) : nullptr;
  if (!block) {
    if (bytes > SIZE_MAX - sizeof(header)) return nullptr;
    block = static_cast<header*>(std::malloc(sizeof(header) + bytes));
    if (!block) return nullptr;
    block->bytes = bytes;
  }
  return block + 1;
}

void give_block(void* block) noexcept {
  if (!block) return;
  header* const whole = static_cast<header*>(block) - 1;
  if (whole->bytes < smallest_kept || thread_ends || !of_this_thread().keep(whole)) std::free(whole);
}

}  // namespace corbel::coding
