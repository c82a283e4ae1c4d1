#include "client/tls_server.hpp"

#include <openssl/ssl.h>

#include <csignal>
#include <stdexcept>

namespace {

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char known[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, known, sizeof known - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::string text_of(const char* text) {
  return text ? text : "";
}

}  // namespace

tls_server::tls_server(const test_authority::files& certificate, std::string reply, options with)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to what its peer has closed
  auto* const c = context_.get();
  if (SSL_CTX_use_certificate_chain_file(c, certificate.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(c, certificate.key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("the test's certificate cannot be used");
  SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
  if (with.most_version) {
    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_set_min_proto_version(c, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(c, with.most_version);
  }
  if (!with.client_authority.empty()) {
    SSL_CTX_load_verify_locations(c, with.client_authority.c_str(), nullptr);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  raw_ = std::make_unique<raw_server>(
      [this, reply, farewell = with.farewell](raw_server::peer& peer) { serve(peer, reply, farewell); });
}

void tls_server::serve(raw_server::peer& peer, const std::string& reply, bool farewell) {
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context_.get()), SSL_free);
  SSL_set_fd(ssl.get(), peer.fd());
  if (SSL_accept(ssl.get()) != 1) return;
  {
    const std::lock_guard lock(mutex_);
    last_.server_name = text_of(SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name));
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl.get(), &name, &size);
    last_.protocol.assign(reinterpret_cast<const char*>(name), size);
    last_.version = SSL_get_version(ssl.get());
    last_.client.clear();
    if (X509* const shown = SSL_get0_peer_certificate(ssl.get())) {
      char common[100];
      X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, common, sizeof common);
      last_.client = common;
    }
  }
  std::string in;
  char piece[4096];
  for (int n; (n = SSL_read(ssl.get(), piece, sizeof piece)) > 0;) {
    in.append(piece, static_cast<std::size_t>(n));
    const auto blank = in.find("\r\n\r\n");
    if (blank == in.npos) continue;
    in.erase(0, blank + 4);
    if (SSL_write(ssl.get(), reply.data(), static_cast<int>(reply.size())) <= 0) return;
    {
      const std::lock_guard lock(mutex_);
      ++served_;
    }
    if (reply.find("Content-Length") == reply.npos) break;
  }
  if (farewell) SSL_shutdown(ssl.get());
}

tls_server::hello tls_server::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

int tls_server::served() const {
  const std::lock_guard lock(mutex_);
  return served_;
}
