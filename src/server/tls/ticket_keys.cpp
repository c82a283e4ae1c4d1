#include "server/tls/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

namespace corbel::tls {
namespace {

/// Where a context keeps its keys.
int slot() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool set_mac(EVP_MAC_CTX* mac, std::array<unsigned char, 32>& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

}  // namespace

void ticket_keys::attach(SSL_CTX* context) {
  SSL_CTX_set_ex_data(context, slot(), this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &ticket_keys::on_ticket);
  SSL_CTX_set_timeout(context, static_cast<long>(ticket_lifetime.count()));
}

void ticket_keys::renew() {
  const std::lock_guard hold(lock_);
  make_key();
}

void ticket_keys::make_key() {
  key made;
  if (RAND_bytes(made.name.data(), static_cast<int>(made.name.size())) != 1 ||
      RAND_priv_bytes(made.cipher.data(), static_cast<int>(made.cipher.size())) != 1 ||
      RAND_priv_bytes(made.mac.data(), static_cast<int>(made.mac.size())) != 1)
    return;  // the one before goes on
  if (auto& oldest = keys_.back()) OPENSSL_cleanse(&*oldest, sizeof *oldest);
  std::rotate(keys_.begin(), keys_.end() - 1, keys_.end());
  keys_.front() = made;
  made_ = std::chrono::steady_clock::now();
}

std::optional<ticket_keys::key> ticket_keys::current() {
  const std::lock_guard hold(lock_);
  if (!keys_.front() || std::chrono::steady_clock::now() - made_ >= renewal) make_key();
  return keys_.front();
}

std::optional<ticket_keys::key> ticket_keys::find(const unsigned char* name, bool& is_current) {
  const std::lock_guard hold(lock_);
  for (const auto& each : keys_)
    if (each && std::equal(each->name.begin(), each->name.end(), name)) {
      is_current = &each == &keys_.front() && std::chrono::steady_clock::now() - made_ < renewal;
      return each;
    }
  return {};
}

// What it returns is OpenSSL's: below 0 an error, 0 no ticket, 1 yes, 2 yes and give the client a new one.
int ticket_keys::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                           EVP_MAC_CTX* mac, int sealing) {
  // The context of now may be that of another certificate; all of a server have the same keys.
  auto* const self = static_cast<ticket_keys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot()));
  if (!self) return 0;
  return sealing ? self->seal(name, iv, cipher, mac) : self->open(ssl, name, iv, cipher, mac);
}

int ticket_keys::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  auto with = current();
  if (!with) return 0;
  const EVP_CIPHER* const kind = EVP_aes_256_cbc();
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1) return -1;
  std::copy(with->name.begin(), with->name.end(), name);
  const bool made =
      EVP_EncryptInit_ex(cipher, kind, nullptr, with->cipher.data(), iv) == 1 && set_mac(mac, with->mac);
  OPENSSL_cleanse(&*with, sizeof *with);
  return made ? 1 : -1;
}

int ticket_keys::open(const SSL* ssl, const unsigned char* name, const unsigned char* iv,
                      EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  bool is_current = false;
  auto with = find(name, is_current);
  if (!with) return 0;
  const bool made = set_mac(mac, with->mac) &&
                    EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, with->cipher.data(), iv) == 1;
  OPENSSL_cleanse(&*with, sizeof *with);
  if (!made) return -1;
  // In 1.3 a client uses each ticket once (RFC 8446, C.4), so it is always given the next one.
  return is_current && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

}  // namespace corbel::tls
