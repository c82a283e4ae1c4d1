#include "corbel/base/byte_buffer.hpp"

#include <algorithm>
#include <new>

namespace corbel {

void byte_buffer::grow(std::size_t n) {
  constexpr std::size_t least = 256;
  const std::size_t wanted = std::max({size_ + n, capacity_ * 2, least});
  void* const grown = std::realloc(data_, wanted);
  if (!grown) throw std::bad_alloc();
  data_ = static_cast<char*>(grown);
  capacity_ = wanted;
}

}  // namespace corbel
