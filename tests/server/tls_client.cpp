#include "server/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <unistd.h>

namespace {

std::string last_error() {
  const char* const text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text ? text : "closed";
}

/// A handshake by memory, its bytes sent one by one.
bool shake_hands_bytewise(SSL* ssl, wire::client& socket) {
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, in, out);
  for (;;) {
    const int result = SSL_connect(ssl);
    char piece[4096];
    for (int n = 0; (n = BIO_read(out, piece, sizeof piece)) > 0;)
      if (!socket.send_bytewise({piece, static_cast<std::size_t>(n)})) return false;
    if (result == 1) return true;
    if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return false;
    const auto n = ::read(socket.fd(), piece, 1);
    if (n <= 0) return false;
    BIO_write(in, piece, static_cast<int>(n));
  }
}

}  // namespace

tls_client::tls_client(std::uint16_t port, const options& with)
    : socket_(port, {with.receive_buffer}),
      context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
      ssl_(nullptr, &SSL_free) {
  socket_.send(with.preface);
  SSL_CTX* const c = context_.get();
  SSL_CTX_set_security_level(c, 0);
  SSL_CTX_set_min_proto_version(c, with.least);
  SSL_CTX_set_max_proto_version(c, with.most);
  SSL_CTX_set_cipher_list(c, with.ciphers.empty() ? "ALL:COMPLEMENTOFALL:@SECLEVEL=0" : with.ciphers.c_str());
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);  // its sessions outlive it
  if (!with.authority.empty()) {
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_load_verify_file(c, with.authority.c_str());
  }
  if (!with.certificate.empty()) {
    SSL_CTX_use_certificate_chain_file(c, with.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(c, with.key.c_str(), SSL_FILETYPE_PEM);
  }
  ssl_.reset(SSL_new(c));
  SSL* const s = ssl_.get();
  if (!with.server_name.empty()) SSL_set_tlsext_host_name(s, with.server_name.c_str());
  if (!with.protocols.empty())
    SSL_set_alpn_protos(s, reinterpret_cast<const unsigned char*>(with.protocols.data()),
                        static_cast<unsigned>(with.protocols.size()));
  if (with.resume) SSL_set_session(s, with.resume);
  ERR_clear_error();
  if (with.bytewise) {
    good_ = shake_hands_bytewise(s, socket_);
    SSL_set_fd(s, socket_.fd());
  } else {
    SSL_set_fd(s, socket_.fd());
    good_ = SSL_connect(s) == 1;
  }
  if (!good_) why_ = last_error();
}

tls_client::~tls_client() {
  // Otherwise OpenSSL would take the session for broken, and not resume it.
  if (good_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

std::string tls_client::server() const {
  X509* const shown = SSL_get0_peer_certificate(ssl_.get());
  char text[256] = "";
  if (shown) X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, text, sizeof text);
  return text;
}

std::string tls_client::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

bool tls_client::send(std::string_view bytes) {
  return bytes.empty() || SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool tls_client::more() {
  char piece[16384];
  ERR_clear_error();
  const int n = SSL_read(ssl_.get(), piece, sizeof piece);
  if (n <= 0) {
    why_ = last_error();
    return false;
  }
  buffer_.append(piece, static_cast<std::size_t>(n));
  return true;
}

std::optional<wire::reply> tls_client::read() {
  for (;;) {
    if (auto made = wire::take(buffer_)) {
      if (made->code >= 200) return made;
    } else if (!more()) {
      return {};
    }
  }
}

std::optional<wire::reply> tls_client::ask(std::string_view bytes) {
  send(bytes);
  return read();
}

std::string tls_client::drain() {
  while (more()) {
  }
  return std::exchange(buffer_, {});
}
