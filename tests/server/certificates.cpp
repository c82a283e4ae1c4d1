#include "server/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace {

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

void extend(X509* to, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  must(made, value.c_str());
  X509_add_ext(to, made, -1);
  X509_EXTENSION_free(made);
}

template <class Write>
void write_file(const std::string& path, Write write) {
  const std::string fresh = path + ".new";
  std::FILE* const file = std::fopen(fresh.c_str(), "w");
  must(file, fresh.c_str());
  write(file);
  std::fclose(file);
  ::chmod(fresh.c_str(), 0600);
  std::filesystem::rename(fresh, path);
}

}  // namespace

certificates::certificates() {
  char pattern[] = "/tmp/corbel-tls-XXXXXX";
  must(::mkdtemp(pattern), pattern);
  folder_ = pattern;
}

certificates::~certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

const certificates::pair* certificates::find(const std::string& name) const {
  for (const auto& each : made_)
    if (each.name == name) return &each;
  return nullptr;
}

void certificates::make(const std::string& name, const wish& wanted) {
  EVP_PKEY* const raw = wanted.key == kind::ec    ? EVP_EC_gen("P-256")
                        : wanted.key == kind::rsa ? EVP_RSA_gen(2048)
                                                  : EVP_RSA_gen(1024);
  must(raw, "its key");
  const std::shared_ptr<EVP_PKEY> key(raw, EVP_PKEY_free);
  const std::shared_ptr<X509> made(X509_new(), X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial_);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wanted.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wanted.valid_until);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.subject.c_str()), -1, -1, 0);
  const auto* const issuer = wanted.issuer.empty() ? nullptr : find(wanted.issuer);
  X509* const signer = issuer ? issuer->certificate.get() : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
  extend(made.get(), signer, NID_basic_constraints,
         wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wanted.names.empty()) {
    std::string list;
    for (const auto& each : wanted.names) list += (list.empty() ? "" : ",") + each;
    extend(made.get(), signer, NID_subject_alt_name, list);
  }
  must(X509_sign(made.get(), issuer ? issuer->key.get() : key.get(), EVP_sha256()) > 0, "its signature");
  write_file(certificate(name), [&](std::FILE* f) { PEM_write_X509(f, made.get()); });
  write_file(this->key(name), [&](std::FILE* f) {
    PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  std::erase_if(made_, [&](const pair& each) { return each.name == name; });
  made_.push_back({name, made, key});
}

void certificates::seal(const std::string& name, const std::string& password) {
  write_file(key(name), [&](std::FILE* f) {
    PEM_write_PKCS8PrivateKey(f, find(name)->key.get(), EVP_aes_256_cbc(), password.data(),
                              static_cast<int>(password.size()), nullptr, nullptr);
  });
}

void certificates::replace(const std::string& to, const std::string& from) {
  const auto over = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(certificate(from), certificate(to), over);
  std::filesystem::copy_file(key(from), key(to), over);
}
