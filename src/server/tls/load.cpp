#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "server/tls/context.hpp"

namespace corbel::tls {
namespace {

struct bio_deleter {
  void operator()(BIO* b) const noexcept { BIO_free(b); }
};
struct x509_deleter {
  void operator()(X509* x) const noexcept { X509_free(x); }
};
struct key_deleter {
  void operator()(EVP_PKEY* k) const noexcept { EVP_PKEY_free(k); }
};
using bio_ptr = std::unique_ptr<BIO, bio_deleter>;
using x509_ptr = std::unique_ptr<X509, x509_deleter>;
using key_ptr = std::unique_ptr<EVP_PKEY, key_deleter>;

/// A certificate that ends so soon is worth a warning: its renewal has failed some times by then.
constexpr int warning_days = 14;

std::string last_reason() {
  const char* const text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text ? text : "OpenSSL does not say why";
}

/// Only the keys of the two lists below are agreed upon; of TLS 1.3's ciphers OpenSSL's default is all AEAD.
constexpr const char* groups = "X25519:P-256";
constexpr const char* ciphers_of_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// RFC 7301, 3.2: a client that offers protocols, none of which is spoken here, is told so by an alert.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1\x08http/1.0";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, ours, sizeof ours - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int choose_certificate(SSL* ssl, int*, void* all) {
  const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (!asked) return SSL_TLSEXT_ERR_NOACK;
  char name[256];
  const auto size = std::strlen(asked);
  if (size >= sizeof name) return SSL_TLSEXT_ERR_NOACK;
  std::transform(asked, asked + size, name,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  SSL_set_SSL_CTX(ssl, static_cast<const context*>(all)->for_name({name, size}));
  return SSL_TLSEXT_ERR_OK;
}

int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::vector<std::string> dns_names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* const all =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* const each = sk_GENERAL_NAME_value(all, i);
    if (each->type != GEN_DNS) continue;
    std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(each->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(each->d.dNSName)));
    for (auto& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (!name.empty()) names.push_back(std::move(name));
  }
  GENERAL_NAMES_free(all);
  return names;
}

}  // namespace

/// Reads what the settings name, and notes whatever is wrong with it.
class context_loader {
 public:
  context_loader(const tls_settings& settings, std::shared_ptr<ticket_keys> keys)
      : settings_(settings), keys_(std::move(keys)), made_(std::make_shared<context>(keys_)) {}

  loaded run() {
    add("tls", {settings_.certificate, settings_.key});
    for (std::size_t i = 0; i < settings_.more.size(); ++i)
      add("tls.more[" + std::to_string(i) + "]", settings_.more[i]);
    if (asks_clients() && settings_.client_ca.empty())
      mistake(
          "tls.clients asks for certificates, but tls.client_ca is empty: name the PEM file of the "
          "authorities "
          "that they must come from");
    if (out_.mistakes.empty()) {
      SSL_CTX_set_tlsext_servername_callback(made_->first(), &choose_certificate);
      SSL_CTX_set_tlsext_servername_arg(made_->first(), made_.get());
      out_.made = made_;
    }
    return std::move(out_);
  }

 private:
  void mistake(std::string text) { out_.mistakes.push_back(std::move(text)); }

  client_certificates clients() const {
    if (settings_.clients) return *settings_.clients;
    return settings_.client_ca.empty() ? client_certificates::none : client_certificates::required;
  }
  bool asks_clients() const { return clients() != client_certificates::none; }

  bio_ptr open(const std::string& what, const std::string& path) {
    if (path.empty()) {
      mistake(what + " is empty: name a PEM file");
      return {};
    }
    bio_ptr file(BIO_new_file(path.c_str(), "rb"));
    if (!file) {
      const int reason = errno;
      ERR_clear_error();
      mistake(what + ": cannot read " + path + " (" + std::strerror(reason) +
              "): name a PEM file that this process " + "may read");
    }
    return file;
  }

  void add(const std::string& what, const tls_certificate& files) {
    auto chain = read_chain(what + ".certificate", files.certificate);
    auto key = read_key(what + ".key", files.key);
    if (chain.empty() || !key) return;
    X509* const own = chain.front().get();
    if (X509_check_private_key(own, key.get()) != 1) {
      ERR_clear_error();
      return mistake(what + ".key: the key in " + files.key +
                     " does not belong to the first certificate in " + files.certificate +
                     "; name the key that the certificate was requested with, and put the " +
                     "server's own certificate first");
    }
    warn_of_dates(what + ".certificate", files.certificate, own);
    auto names = dns_names_of(own);
    // A second kind of key for the same names: the client chooses between them by what it can verify.
    const int type = EVP_PKEY_get_base_id(key.get());
    for (auto& each : made_->hosts_)
      if (each.names == names && each.key_type != type && each.context)
        return install(what, each.context.get(), chain, key.get());
    auto fresh = make();
    if (!fresh) return;
    install(what, fresh.get(), chain, key.get());
    made_->hosts_.push_back({std::move(fresh), std::move(names), type});
  }

  void install(const std::string& what, SSL_CTX* to, const std::vector<x509_ptr>& chain, EVP_PKEY* key) {
    bool good = SSL_CTX_use_certificate(to, chain.front().get()) == 1;
    for (std::size_t i = 1; good && i < chain.size(); ++i)
      good = SSL_CTX_add1_chain_cert(to, chain[i].get()) == 1;
    if (!good || SSL_CTX_use_PrivateKey(to, key) != 1)
      mistake(what + ": OpenSSL refuses the certificate (" + last_reason() +
              "): use one with an ECDSA P-256 key, or RSA of at least 2048 bits, signed with SHA-256");
  }

  std::vector<x509_ptr> read_chain(const std::string& what, const std::string& path) {
    std::vector<x509_ptr> chain;
    const auto file = open(what, path);
    if (!file) return chain;
    while (x509_ptr each{PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr)})
      chain.push_back(std::move(each));
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto reason = last_reason();
    if (chain.empty() || !at_end) {
      chain.clear();
      mistake(what + ": " + path + " holds no readable certificate (" + reason +
              "): it must be PEM, with lines such as -----BEGIN CERTIFICATE-----");
    }
    return chain;
  }

  key_ptr read_key(const std::string& what, const std::string& path) {
    const auto file = open(what, path);
    if (!file) return {};
    bool asked = false;
    key_ptr key(PEM_read_bio_PrivateKey(file.get(), nullptr, &no_password, &asked));
    if (!key && asked) {
      ERR_clear_error();
      mistake(what + ": the key in " + path + " is encrypted, and nobody can be asked for its password: " +
              "write it out with `openssl pkey -in " + path +
              " -out plain.pem`, readable for this service alone");
    } else if (!key) {
      mistake(what + ": " + path + " holds no readable private key (" + last_reason() +
              "): it must be PEM, with a line such as -----BEGIN PRIVATE KEY-----");
    }
    struct stat about {};
    if (key && ::stat(path.c_str(), &about) == 0 && (about.st_mode & S_IROTH) != 0)
      out_.warnings.push_back(what + ": everybody on this machine may read " + path + "; chmod 600 it");
    return key;
  }

  void warn_of_dates(const std::string& what, const std::string& path, X509* certificate) {
    std::time_t soon = std::time(nullptr) + std::time_t{warning_days} * 24 * 3600;
    const auto* const end = X509_get0_notAfter(certificate);
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
      out_.warnings.push_back(what + ": " + path +
                              " is not valid yet; clients will refuse it. Check the clock");
    else if (X509_cmp_current_time(end) < 0)
      out_.warnings.push_back(what + ": " + path +
                              " has expired; clients will refuse it. Renew it and reload");
    else if (X509_cmp_time(end, &soon) < 0)
      out_.warnings.push_back(what + ": " + path + " expires within " + std::to_string(warning_days) +
                              " days; renew it and reload");
  }

  context_ptr make() {
    context_ptr c(SSL_CTX_new(TLS_server_method()));
    if (!c) {
      mistake("tls: OpenSSL cannot be used (" + last_reason() + ")");
      return c;
    }
    SSL_CTX* const raw = c.get();
    SSL_CTX_set_security_level(raw, 2);
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    // What is written may lie elsewhere when it is written again, and idle connections hold no buffers.
    SSL_CTX_set_mode(
        raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(raw, 1);
    const bool good =
        SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(raw, 0) == 1 && SSL_CTX_set_cipher_list(raw, ciphers_of_1_2) == 1 &&
        SSL_CTX_set1_groups_list(raw, groups) == 1 &&
        SSL_CTX_set_session_id_context(raw, reinterpret_cast<const unsigned char*>("corbel"), 6) == 1;
    if (!good) mistake("tls: OpenSSL lacks a cipher or curve that is needed (" + last_reason() + ")");
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(raw, &choose_protocol, nullptr);
    if (asks_clients())
      ask_clients(raw);
    else
      keys_->attach(raw);
    return c;
  }

  void ask_clients(SSL_CTX* c) {
    // No resumption: each connection's certificate is checked anew, so that one which has expired or whose
    // authority is no longer listed is of no use.
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(c, 0);
    SSL_CTX_set_verify(c,
                       clients() == client_certificates::required
                           ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                           : SSL_VERIFY_PEER,
                       nullptr);
    if (settings_.client_ca.empty() || client_ca_failed_) return;
    auto* const names = SSL_load_client_CA_file(settings_.client_ca.c_str());
    if (names && SSL_CTX_load_verify_file(c, settings_.client_ca.c_str()) == 1)
      return SSL_CTX_set_client_CA_list(c, names);
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    client_ca_failed_ = true;
    mistake("tls.client_ca: " + settings_.client_ca + " holds no readable certificate (" + last_reason() +
            "): name a PEM file with the certificates of the authorities");
  }

  const tls_settings& settings_;
  std::shared_ptr<ticket_keys> keys_;
  std::shared_ptr<context> made_;
  loaded out_;
  bool client_ca_failed_ = false;
};

loaded load(const tls_settings& settings, std::shared_ptr<ticket_keys> keys) {
  return context_loader(settings, std::move(keys)).run();
}

}  // namespace corbel::tls
