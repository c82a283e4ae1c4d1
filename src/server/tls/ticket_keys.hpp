#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

namespace corbel::tls {

/// The keys that session tickets are sealed with (RFC 5077), shared by all threads and kept over a reload of
/// the certificates. A new one is made every hour; with the two before it a ticket opens for as long as it is
/// valid, and whoever steals the process's memory reads no connection of three hours ago. Thread-safe.
class ticket_keys {
 public:
  static constexpr std::chrono::hours renewal{1};
  static constexpr std::chrono::seconds ticket_lifetime{2 * 60 * 60};

  /// Makes `context` use these keys, which must outlive it.
  void attach(SSL_CTX* context);

  /// Makes a new key now; for the hour, and for tests.
  void renew();

 private:
  struct key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };
  void make_key();  // under the lock
  /// The key that seals now; nothing when the system has no random numbers.
  std::optional<key> current();
  /// The key of that name, and whether it is the current one.
  std::optional<key> find(const unsigned char* name, bool& is_current);

  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int sealing);
  int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  int open(const SSL* ssl, const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
           EVP_MAC_CTX* mac);

  std::mutex lock_;
  std::array<std::optional<key>, 3> keys_;  // the newest first
  std::chrono::steady_clock::time_point made_{};
};

}  // namespace corbel::tls
