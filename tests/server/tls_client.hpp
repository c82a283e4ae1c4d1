#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/wire.hpp"

/// A TLS client of the tests' own, over wire::client's socket.
class tls_client {
 public:
  struct options {
    std::string server_name = {};
    std::string authority = {};  ///< a PEM file to verify the server by; empty takes any
    std::string certificate = {};
    std::string key = {};
    std::string protocols = {};  ///< in ALPN's wire form
    int least = TLS1_2_VERSION, most = 0;
    std::string ciphers = {};  ///< of 1.2; all there are, when empty
    SSL_SESSION* resume = nullptr;
    int receive_buffer = 0;
    std::string preface = {};  ///< sent ahead, in plain
    bool bytewise = false;     ///< sends its handshake one byte at a time
  };

  explicit tls_client(std::uint16_t port) : tls_client(port, options()) {}
  tls_client(std::uint16_t port, const options& with);
  ~tls_client();

  /// Whether the handshake went well; otherwise `why()`.
  explicit operator bool() const noexcept { return good_; }
  const std::string& why() const noexcept { return why_; }
  SSL* raw() noexcept { return ssl_.get(); }
  int fd() const noexcept { return socket_.fd(); }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  std::string cipher() const { return SSL_get_cipher_name(ssl_.get()); }
  /// The subject's CN of the server's certificate.
  std::string server() const;
  std::string protocol() const;
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  /// To be freed by whoever takes it.
  SSL_SESSION* session() { return SSL_get1_session(ssl_.get()); }

  bool send(std::string_view bytes);
  /// One response; nothing at the end, or after ten seconds.
  std::optional<wire::reply> read();
  std::optional<wire::reply> ask(std::string_view bytes);
  /// Everything up to the end.
  std::string drain();
  /// Whether the server said goodbye, rather than only closing.
  bool goodbye() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  /// Vanishes with a reset.
  void hang_up() { socket_.reset(); }
  /// Says that nothing more is sent.
  void say_goodbye() { (void)SSL_shutdown(ssl_.get()); }

 private:
  bool more();
  wire::client socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  std::string buffer_;
  std::string why_;
  bool good_ = false;
};
