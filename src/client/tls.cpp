#include <openssl/ssl.h>

#include <stdexcept>

#include "client/core.hpp"

namespace corbel::outgoing {
namespace {

using boost::system::error_code;

void demand(const error_code& bad, const char* setting, const std::string& file) {
  if (bad)
    throw std::invalid_argument("client_settings::tls." + std::string(setting) + ": " + file +
                                " cannot be used: " + bad.message());
}

}  // namespace

std::shared_ptr<boost::asio::ssl::context> make_tls(const client_tls& settings) {
  namespace ssl = boost::asio::ssl;
  auto made = std::make_shared<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = made->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  constexpr unsigned char http11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(native, http11, sizeof http11);
  if (settings.certificate_file.empty() != settings.key_file.empty())
    throw std::invalid_argument(
        "client_settings::tls: certificate_file and key_file go together; set both or none");
  error_code bad;
  if (settings.system_authorities) {
    made->set_default_verify_paths(bad);
    demand(bad, "system_authorities", "the system's certificate store");
  }
  if (!settings.authority_file.empty()) {
    made->load_verify_file(settings.authority_file, bad);
    demand(bad, "authority_file", settings.authority_file);
  }
  if (!settings.certificate_file.empty()) {
    made->use_certificate_chain_file(settings.certificate_file, bad);
    demand(bad, "certificate_file", settings.certificate_file);
    made->use_private_key_file(settings.key_file, ssl::context::pem, bad);
    demand(bad, "key_file", settings.key_file);
  }
  made->set_verify_mode(settings.dangerously_accept_any_certificate ? ssl::verify_none : ssl::verify_peer);
  return made;
}

}  // namespace corbel::outgoing
