#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "corbel/base/ip_address.hpp"
#include "server/tls/session.hpp"

namespace corbel::tls {
namespace {

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

std::string text_of(const X509_NAME* name) {
  std::string text;
  BIO* const to = BIO_new(BIO_s_mem());
  if (to && X509_NAME_print_ex(to, name, 0, XN_FLAG_RFC2253) >= 0) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(to, &data);
    if (size > 0) text.assign(data, static_cast<std::size_t>(size));
  }
  BIO_free(to);
  return text;
}

std::string text_of(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

std::string serial_of(const X509* certificate) {
  std::string text;
  BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  if (char* const digits = number ? BN_bn2hex(number) : nullptr) {
    text = digits;
    OPENSSL_free(digits);
  }
  BN_free(number);
  return text;
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> names;
  auto* const all =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* const each = sk_GENERAL_NAME_value(all, i);
    if (each->type == GEN_DNS) names.push_back("DNS:" + text_of(each->d.dNSName));
    if (each->type == GEN_EMAIL) names.push_back("email:" + text_of(each->d.rfc822Name));
    if (each->type == GEN_URI) names.push_back("URI:" + text_of(each->d.uniformResourceIdentifier));
    if (each->type == GEN_IPADD) {
      const auto bytes = text_of(each->d.iPAddress);
      ip_address::octets six{};
      if (bytes.size() == 16) {
        std::copy(bytes.begin(), bytes.end(), six.begin());
        names.push_back("IP:" + ip_address(six).to_string());
      } else if (bytes.size() == 4) {
        std::uint32_t four = 0;
        for (const char c : bytes) four = four << 8 | static_cast<unsigned char>(c);
        names.push_back("IP:" + ip_address(four).to_string());
      }
    }
  }
  GENERAL_NAMES_free(all);
  return names;
}

tls_client_certificate describe_certificate(X509* certificate) {
  tls_client_certificate made;
  made.subject = text_of(X509_get_subject_name(certificate));
  made.issuer = text_of(X509_get_issuer_name(certificate));
  made.serial = serial_of(certificate);
  made.names = alternative_names(certificate);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) == 1)
    made.fingerprint = hexadecimal(digest, size);
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1)
    made.not_after = timestamp(std::chrono::seconds(::timegm(&end)));
  return made;
}

}  // namespace

tls_info session::describe() const {
  SSL* const ssl = ssl_.get();
  tls_info made;
  made.version = SSL_get_version(ssl);
  made.cipher = SSL_get_cipher_name(ssl);
  if (const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) made.server_name = name;
  made.resumed = SSL_session_reused(ssl) == 1;
  if (X509* const shown = SSL_get0_peer_certificate(ssl)) made.client = describe_certificate(shown);
  return made;
}

}  // namespace corbel::tls
