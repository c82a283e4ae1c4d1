#include "corbel/base/uuid.hpp"

#include <pthread.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace corbel {
namespace {

constexpr char digits[] = "0123456789abcdef";

/// Kernel randomness bought in blocks: one system call serves many ids.
class random_block {
 public:
  std::uint64_t next() {
    if (at_ + sizeof(std::uint64_t) > sizeof block_) refill();
    std::uint64_t value;
    std::memcpy(&value, block_ + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

 private:
  void refill() {
    std::size_t have = 0;
    while (have < sizeof block_) {
      const ssize_t n = ::getrandom(block_ + have, sizeof block_ - have, 0);
      if (n < 0) {
        if (errno == EINTR) continue;
        throw std::system_error(errno, std::generic_category(), "getrandom");
      }
      have += static_cast<std::size_t>(n);
    }
    at_ = 0;
  }
  unsigned char block_[1024];
  std::size_t at_ = sizeof block_;
};

/// Per thread, so that ids cost no lock.
struct generator {
  random_block random;
  std::uint64_t last_ms = 0;
  std::uint32_t counter = 0;  // 12 bits in rand_a, and 10 more at the head of rand_b
};

thread_local generator ids;

/// A forked child would hand out its parent's remaining randomness again: it starts with a fresh block.
[[maybe_unused]] const int forget_on_fork = ::pthread_atfork(nullptr, nullptr, [] { ids = generator{}; });

constexpr std::uint32_t counter_limit = 1u << 22;

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

uuid uuid::v7(timestamp now) {
  auto& g = ids;
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  if (ms > g.last_ms) {
    g.last_ms = ms;
    // Starting in the lower half leaves 2^21 ids before the counter runs over (RFC 9562, 6.2 method 1).
    g.counter = static_cast<std::uint32_t>(g.random.next()) & (counter_limit / 2 - 1);
  } else if (++g.counter == counter_limit) {
    ++g.last_ms;
    g.counter = 0;
  }
  const std::uint64_t tail = g.random.next();
  uuid id;
  for (int i = 0; i < 6; ++i)
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(g.last_ms >> (40 - 8 * i));
  const std::uint32_t high = g.counter >> 10;
  const std::uint32_t low = g.counter & 0x3ff;
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | high >> 8);
  id.bytes[7] = static_cast<std::uint8_t>(high);
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | low >> 4);
  id.bytes[9] = static_cast<std::uint8_t>((low & 0xf) << 4 | (tail >> 60));
  for (int i = 10; i < 16; ++i)
    id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(tail >> (8 * (i - 10)));
  return id;
}

uuid uuid::v7() {
  return v7(std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

void write_text(char* at, const uuid& id) noexcept {
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    *at++ = digits[id.bytes[i] >> 4];
    *at++ = digits[id.bytes[i] & 0xf];
  }
}

void append_text(std::string& out, const uuid& id) {
  char text[36];
  write_text(text, id);
  out.append(text, sizeof text);
}

std::string to_text(const uuid& id) {
  std::string out;
  append_text(out, id);
  return out;
}

std::optional<uuid> parse_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return {};
  uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      if (text[at] != '-') return {};
      ++at;
    }
    const int high = hex(text[at]);
    const int low = hex(text[at + 1]);
    if (high < 0 || low < 0) return {};
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return id;
}

}  // namespace corbel
