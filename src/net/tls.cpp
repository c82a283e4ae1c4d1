#include "net/tls.hpp"

#include <openssl/ssl.h>

#include <stdexcept>

namespace corbel::net {
namespace {

using boost::system::error_code;

void demand(const tls_rules& rules, const error_code& bad, const char* setting, const std::string& file) {
  if (bad)
    throw std::invalid_argument(rules.settings + '.' + setting + ": " + file +
                                " cannot be used: " + bad.message());
}

}  // namespace

std::shared_ptr<boost::asio::ssl::context> make_tls(const tls_rules& rules) {
  namespace ssl = boost::asio::ssl;
  auto made = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = made->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  std::string offered;
  for (const auto& each : rules.protocols) offered.append(1, static_cast<char>(each.size())).append(each);
  if (!offered.empty())
    SSL_CTX_set_alpn_protos(native, reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size()));
  if (rules.certificate_file.empty() != rules.key_file.empty())
    throw std::invalid_argument(rules.settings +
                                ": certificate_file and key_file go together; set both or none");
  error_code bad;
  if (rules.system_authorities) {
    made->set_default_verify_paths(bad);
    demand(rules, bad, "system_authorities", "the system's certificate store");
  }
  if (!rules.authority_file.empty()) {
    made->load_verify_file(rules.authority_file, bad);
    demand(rules, bad, "authority_file", rules.authority_file);
  }
  if (!rules.certificate_file.empty()) {
    made->use_certificate_chain_file(rules.certificate_file, bad);
    demand(rules, bad, "certificate_file", rules.certificate_file);
    made->use_private_key_file(rules.key_file, ssl::context::pem, bad);
    demand(rules, bad, "key_file", rules.key_file);
  }
  made->set_verify_mode(rules.verify ? ssl::verify_peer : ssl::verify_none);
  return made;
}

}  // namespace corbel::net
