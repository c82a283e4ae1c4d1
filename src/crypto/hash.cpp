#include "corbel/crypto/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "crypto/openssl_bytes.hpp"

namespace corbel::crypto {
namespace {

unsigned char* room_in(digest& d) {
  return reinterpret_cast<unsigned char*>(d.bytes.data());
}

void require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL could not compute a SHA-256; its installation is broken");
}

struct free_digest_context {
  void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
};
using context = std::unique_ptr<EVP_MD_CTX, free_digest_context>;

/// Looked up once: OpenSSL 3 otherwise searches its providers for every hash.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(found != nullptr);
  return found;
}

constexpr std::size_t block = 64;  // bytes that SHA-256 takes at once

}  // namespace

bool operator==(const digest& a, const digest& b) noexcept {
  return CRYPTO_memcmp(a.bytes.data(), b.bytes.data(), digest::size) == 0;
}

struct sha256_stream::impl {
  context state{EVP_MD_CTX_new()};
  impl() { restart(); }
  void restart() { require(state && EVP_DigestInit_ex(state.get(), algorithm(), nullptr) == 1); }
};

sha256_stream::sha256_stream() : impl_(std::make_unique<impl>()) {}
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;

sha256_stream& sha256_stream::update(std::string_view piece) {
  require(EVP_DigestUpdate(impl_->state.get(), piece.data(), piece.size()) == 1);
  return *this;
}

digest sha256_stream::finish() {
  digest made;
  require(EVP_DigestFinal_ex(impl_->state.get(), room_in(made), nullptr) == 1);
  impl_->restart();
  return made;
}

digest sha256(std::string_view data) {
  digest made;
  require(EVP_Digest(data.data(), data.size(), room_in(made), nullptr, algorithm(), nullptr) == 1);
  return made;
}

// By its definition rather than by EVP_MAC, whose set-up costs several times the hashing of a short text.
digest hmac_sha256(std::string_view key, std::string_view data) {
  thread_local const context state(EVP_MD_CTX_new());
  std::array<char, block> pad{};
  if (key.size() > block)
    std::copy_n(sha256(key).bytes.begin(), digest::size, pad.begin());
  else
    std::copy(key.begin(), key.end(), pad.begin());
  for (auto& c : pad) c = static_cast<char>(c ^ 0x36);
  digest made;
  auto* const s = state.get();
  bool done = s && EVP_DigestInit_ex(s, algorithm(), nullptr) == 1 &&
              EVP_DigestUpdate(s, pad.data(), pad.size()) == 1 &&
              EVP_DigestUpdate(s, data.data(), data.size()) == 1 &&
              EVP_DigestFinal_ex(s, room_in(made), nullptr) == 1;
  for (auto& c : pad) c = static_cast<char>(c ^ 0x36 ^ 0x5c);
  done = done && EVP_DigestInit_ex(s, algorithm(), nullptr) == 1 &&
         EVP_DigestUpdate(s, pad.data(), pad.size()) == 1 &&
         EVP_DigestUpdate(s, made.bytes.data(), made.bytes.size()) == 1 &&
         EVP_DigestFinal_ex(s, room_in(made), nullptr) == 1;
  wipe(pad.data(), pad.size());
  require(done);
  return made;
}

digest hkdf_extract(std::string_view salt, std::string_view secret) {
  return hmac_sha256(salt, secret);
}

// One block of output is all that a 32-byte key needs.
digest hkdf_expand(const digest& key, std::string_view info) {
  std::string block_input(info);
  block_input += '\x01';
  return hmac_sha256(key.view(), block_input);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(bytes_of(a), bytes_of(b), a.size()) == 0);
}

void wipe(void* at, std::size_t size) noexcept {
  OPENSSL_cleanse(at, size);
}

}  // namespace corbel::crypto
