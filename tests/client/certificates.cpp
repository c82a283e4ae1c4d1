#include "client/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace {

std::shared_ptr<EVP_PKEY> make_key() {
  return {EVP_EC_gen("P-256"), EVP_PKEY_free};
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  if (!made) throw std::runtime_error("no such extension: " + value);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

std::shared_ptr<X509> make(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* signer, int serial,
                           int days, const std::string& names) {
  std::shared_ptr<X509> made(X509_new(), X509_free);
  X509* const x = made.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -7L * 86400);
  X509_gmtime_adj(X509_getm_notAfter(x), days * 86400L);
  X509_set_pubkey(x, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
  extend(x, issuer ? issuer : x, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  if (!names.empty()) extend(x, issuer, NID_subject_alt_name, names);
  X509_sign(x, signer, EVP_sha256());
  return made;
}

}  // namespace

test_authority::test_authority() : key_(make_key()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "corbel-client-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  own_ = make("Test Authority", key_.get(), nullptr, key_.get(), 1, 1, "");
  certificate_ = write("authority", own_.get(), key_.get()).certificate;
}

test_authority::~test_authority() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

test_authority::files test_authority::issue(const std::string& names, int days) {
  const auto key = make_key();
  const auto made = make("Test", key.get(), own_.get(), key_.get(), 2 + issued_, days, names);
  return write("leaf" + std::to_string(issued_++), made.get(), key.get());
}

test_authority::files test_authority::write(const std::string& stem, X509* certificate, EVP_PKEY* key) {
  files made{(folder_ / (stem + ".pem")).string(), (folder_ / (stem + ".key")).string()};
  std::FILE* out = std::fopen(made.certificate.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(made.key.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  return made;
}
