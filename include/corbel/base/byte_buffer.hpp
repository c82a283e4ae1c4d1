#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace corbel {

/// Bytes that grow at their end. Unlike a string it leaves what it has not been given uninitialised, and its
/// small appends are compiled into the caller.
class byte_buffer {
 public:
  /// More than this is not kept for what comes next.
  static constexpr std::size_t usual = std::size_t{256} * 1024;

  byte_buffer() = default;
  byte_buffer(const byte_buffer& other) { append(other.view()); }
  byte_buffer(byte_buffer&& other) noexcept { swap(other); }
  byte_buffer& operator=(byte_buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~byte_buffer() { std::free(data_); }

  std::string_view view() const noexcept { return {data_, size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// Room for `n` more bytes at the end; those that are written there count once they are committed. Throws
  /// std::bad_alloc.
  char* room(std::size_t n) {
    if (capacity_ - size_ < n) [[unlikely]]
      grow(n);
    return data_ + size_;
  }
  void commit(std::size_t n) noexcept { size_ += n; }

  void append(std::string_view text) {
    if (text.empty()) return;  // it may point nowhere, which memcpy must not be given
    std::memcpy(room(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  /// Cuts off what is behind the first `size` bytes.
  void truncate(std::size_t size) noexcept { size_ = size; }
  void erase(std::size_t at, std::size_t n) noexcept {
    std::memmove(data_ + at, data_ + at + n, size_ - at - n);
    size_ -= n;
  }
  /// Forgets the contents, and a capacity that most buffers never need.
  void clear() noexcept {
    size_ = 0;
    if (capacity_ > usual) [[unlikely]]
      byte_buffer().swap(*this);
  }

 private:
  void grow(std::size_t n);
  void swap(byte_buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace corbel
