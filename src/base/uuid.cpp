#include "corbel/base/uuid.hpp"

#include <openssl/rand.h>
#include <pthread.h>

#include <cstring>
#include <stdexcept>

namespace corbel {
namespace {

/// The two digits of every byte.
constexpr std::array<char, 512> hex_pairs = [] {
  constexpr char digits[] = "0123456789abcdef";
  std::array<char, 512> all{};
  for (std::size_t i = 0; i < 256; ++i) {
    all[2 * i] = digits[i >> 4];
    all[2 * i + 1] = digits[i & 0xf];
  }
  return all;
}();

/// Randomness in blocks: OpenSSL's generator, which the kernel seeds, costs a call 700 ns and a byte 0.1.
/// What was handed out is wiped.
class random_block {
 public:
  std::uint64_t next() {
    if (at_ == sizeof block_) refill();
    std::uint64_t value;
    std::memcpy(&value, block_ + at_, sizeof value);
    std::memset(block_ + at_, 0, sizeof value);
    at_ += sizeof value;
    return value;
  }

 private:
  void refill() {
    if (::RAND_bytes(block_, sizeof block_) != 1)
      throw std::runtime_error("the system gives no randomness; an id cannot be made");
    at_ = 0;
  }
  unsigned char block_[2048];
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
  const std::uint64_t high = g.last_ms << 16 | 0x7000 | g.counter >> 10;
  const std::uint64_t low =
      std::uint64_t{0x80} << 56 | std::uint64_t{g.counter & 0x3ff} << 52 | (g.random.next() >> 12);
  uuid id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return id;
}

uuid uuid::v7() {
  return v7(std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

void write_text(char* at, const uuid& id) noexcept {
  const auto put = [&](std::size_t to, std::size_t byte) {
    std::memcpy(at + to, hex_pairs.data() + 2 * std::size_t{id.bytes[byte]}, 2);
  };
  for (std::size_t i = 0; i < 4; ++i) put(2 * i, i);
  at[8] = at[13] = at[18] = at[23] = '-';
  put(9, 4);
  put(11, 5);
  put(14, 6);
  put(16, 7);
  put(19, 8);
  put(21, 9);
  for (std::size_t i = 10; i < 16; ++i) put(4 + 2 * i, i);
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
