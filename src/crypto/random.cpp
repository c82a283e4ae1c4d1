#include "corbel/crypto/random.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "corbel/base/encoding.hpp"

namespace corbel::crypto {

void random_bytes(std::span<std::byte> out) {
  while (!out.empty()) {
    constexpr std::size_t most = 1 << 20;  // RAND_bytes counts in int
    const auto piece = out.first(std::min(out.size(), most));
    if (RAND_bytes(reinterpret_cast<unsigned char*>(piece.data()), static_cast<int>(piece.size())) != 1)
      throw std::runtime_error("the system gave no random bytes; without them nothing can be kept secret");
    out = out.subspan(piece.size());
  }
}

std::string random_bytes(std::size_t count) {
  std::string made(count, '\0');
  random_bytes(std::as_writable_bytes(std::span(made.data(), made.size())));
  return made;
}

std::string random_token(std::size_t bytes) {
  return to_base64url(random_bytes(bytes));
}

}  // namespace corbel::crypto
