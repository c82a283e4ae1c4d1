#include "corbel/crypto/seal.hpp"

#include <openssl/evp.h>

#include <climits>
#include <memory>
#include <stdexcept>

#include "corbel/crypto/random.hpp"
#include "crypto/openssl_bytes.hpp"

namespace corbel::crypto {
namespace {

constexpr std::size_t salt_size = 12;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
static_assert(seal_overhead == salt_size + nonce_size + tag_size);

struct free_cipher_context {
  void operator()(EVP_CIPHER_CTX* c) const noexcept { EVP_CIPHER_CTX_free(c); }
};
using context_ptr = std::unique_ptr<EVP_CIPHER_CTX, free_cipher_context>;

const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const found = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return found;
}

/// The key of one message, gone when it goes out of scope.
struct message_key {
  digest key;
  message_key(const digest& root, std::string_view salt)
      : key(hkdf_expand(root, "corbel seal v1" + std::string(salt))) {}
  ~message_key() { wipe(key.bytes.data(), key.bytes.size()); }
  message_key(const message_key&) = delete;
  message_key& operator=(const message_key&) = delete;
};

context_ptr start(const message_key& key, std::string_view nonce, std::string_view context, bool sealing) {
  if (context.size() > INT_MAX) throw std::length_error("a context longer than OpenSSL counts");
  context_ptr c(EVP_CIPHER_CTX_new());
  int n = 0;
  const bool ready =
      c && cipher() &&
      EVP_CipherInit_ex2(c.get(), cipher(), bytes_of(key.key.view()), bytes_of(nonce), sealing ? 1 : 0,
                         nullptr) == 1 &&
      EVP_CipherUpdate(c.get(), nullptr, &n, bytes_of(context), static_cast<int>(context.size())) == 1;
  if (!ready) throw std::runtime_error("OpenSSL could not start AES-256-GCM; its installation is broken");
  return c;
}

}  // namespace

std::string seal(const digest& key, std::string_view context, std::string_view plain) {
  if (plain.size() > INT_MAX) throw std::length_error("more than OpenSSL seals at once");
  std::string out = random_bytes(salt_size + nonce_size);
  const message_key own(key, std::string_view(out).substr(0, salt_size));
  const auto c = start(own, std::string_view(out).substr(salt_size, nonce_size), context, true);
  out.resize(seal_overhead + plain.size());
  auto* const body = reinterpret_cast<unsigned char*>(out.data()) + salt_size + nonce_size;
  int n = 0;
  int last = 0;
  const bool done =
      EVP_CipherUpdate(c.get(), body, &n, bytes_of(plain), static_cast<int>(plain.size())) == 1 &&
      EVP_CipherFinal_ex(c.get(), body + n, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, body + plain.size()) == 1;
  if (!done) throw std::runtime_error("OpenSSL could not seal with AES-256-GCM");
  return out;
}

std::optional<std::string> open(const digest& key, std::string_view context, std::string_view sealed) {
  if (sealed.size() < seal_overhead || sealed.size() > INT_MAX) return {};
  const message_key own(key, sealed.substr(0, salt_size));
  const auto c = start(own, sealed.substr(salt_size, nonce_size), context, false);
  const auto body = sealed.substr(salt_size + nonce_size, sealed.size() - seal_overhead);
  std::string tag(sealed.substr(sealed.size() - tag_size));  // OpenSSL asks for memory that it may write
  std::string plain(body.size(), '\0');
  auto* const to = reinterpret_cast<unsigned char*>(plain.data());
  int n = 0;
  int last = 0;
  const bool genuine =
      EVP_CipherUpdate(c.get(), to, &n, bytes_of(body), static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1 &&
      EVP_CipherFinal_ex(c.get(), to + n, &last) == 1;
  if (!genuine) {
    wipe(plain.data(), plain.size());
    return {};
  }
  return plain;
}

}  // namespace corbel::crypto
