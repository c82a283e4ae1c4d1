#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "base/sanitized.hpp"

namespace corbel::detail {

/// Memory of one size that a thread gave back, for the next who asks. A cache of malloc's own holds seven
/// blocks of a size; what comes and goes by the hundred is beyond it.
///
/// With a sanitizer nothing is kept, so that it sees who uses what is gone.
template <std::size_t Size>
class spare_blocks {
 public:
  /// In bytes, for each thread.
  static constexpr std::size_t most = sanitized ? 0 : 512 * 1024;

  static void* take() {
    if (!here.first) return ::operator new(Size);
    --here.count;
    return std::exchange(here.first, here.first->next);
  }
  static void give(void* block) noexcept {
    if (here.ended || kept_bytes() + Size > most) return ::operator delete(block);
    static thread_local at_end of_thread;
    here.first = new (block) spare{here.first};
    ++here.count;
  }
  static std::size_t kept_bytes() noexcept { return here.count * Size; }

 private:
  struct spare {
    spare* next;
  };
  static_assert(Size >= sizeof(spare));

  /// It has no destructor: what ends later than everything else of its thread may still look at it.
  struct list {
    spare* first = nullptr;
    std::size_t count = 0;
    bool ended = false;
  };
  struct at_end {
    at_end() noexcept {}
    ~at_end() {
      here.ended = true;
      while (here.first) ::operator delete(std::exchange(here.first, here.first->next));
      here.count = 0;
    }
  };
  static inline constinit thread_local list here{};
};

/// A base for classes whose objects come and go by the hundred on a thread. They may end on another one.
template <class T>
struct recycled {
  static void* operator new(std::size_t) {
    static_assert(std::is_final_v<T>, "corbel: make it final: a class derived from it has another size");
    static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__,
                  "corbel: its alignment is more than plain memory has: leave recycled<T> out");
    return spare_blocks<sizeof(T)>::take();
  }
  static void operator delete(void* block) noexcept { spare_blocks<sizeof(T)>::give(block); }
};

}  // namespace corbel::detail
