#include "corbel/base/uuid.hpp"

#include <openssl/rand.h>
#include <pthread.h>

#include <cstring>
#include <stdexcept>

#if defined(__SSE2__)
#include <emmintrin.h>

#include "base/hex.hpp"
#endif

namespace corbel {
namespace {

#if !defined(__SSE2__)
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
#endif

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

void put_big_endian(std::uint8_t* at, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
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
  put_big_endian(id.bytes.data(), high);
  put_big_endian(id.bytes.data() + 8, low);
  return id;
}

uuid uuid::v7() {
  return v7(std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
}

#if defined(__SSE2__)

/// All digits at once: each byte's two halves beside each other, then each half as a digit.
void write_text(char* at, const uuid& id) noexcept {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(id.bytes.data()));
  const __m128i low = _mm_and_si128(x, _mm_set1_epi8(0x0f));
  const __m128i high = _mm_and_si128(_mm_srli_epi16(x, 4), _mm_set1_epi8(0x0f));
  const auto digits = [](__m128i halves) noexcept {
    const __m128i beyond =
        _mm_and_si128(_mm_cmpgt_epi8(halves, _mm_set1_epi8(9)), _mm_set1_epi8('a' - '9' - 1));
    return _mm_add_epi8(_mm_add_epi8(halves, _mm_set1_epi8('0')), beyond);
  };
  alignas(16) char text[32];
  _mm_store_si128(reinterpret_cast<__m128i*>(text), digits(_mm_unpacklo_epi8(high, low)));
  _mm_store_si128(reinterpret_cast<__m128i*>(text + 16), digits(_mm_unpackhi_epi8(high, low)));
  std::memcpy(at, text, 8);
  std::memcpy(at + 9, text + 8, 4);
  std::memcpy(at + 14, text + 12, 4);
  std::memcpy(at + 19, text + 16, 4);
  std::memcpy(at + 24, text + 20, 12);
  at[8] = at[13] = at[18] = at[23] = '-';
}

#else

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

#endif

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
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return {};
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return id;
}

}  // namespace corbel
