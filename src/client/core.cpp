#include "client/core.hpp"

#include <stdexcept>

#include "corbel/http/field.hpp"
#include "net/tls.hpp"

namespace corbel {

outgoing::core::core(client_settings s) : settings(std::move(s)), guard(guard_rules_of(settings)) {
  if (!settings.proxy.empty()) {
    auto read = url::parse(settings.proxy);
    if (!read || read->https())
      throw std::invalid_argument("client_settings::proxy: write it as http://host:port" +
                                  (read ? std::string() : "; " + read.error().message()));
    proxy = *std::move(read);
  }
  if (settings.limits.connections_per_origin == 0 || settings.limits.connections == 0)
    throw std::invalid_argument("client_settings::limits: no connection is allowed; write at least 1");
  if (!is_field_value(settings.user_agent))
    throw std::invalid_argument(
        "client_settings::user_agent holds a control character, or a blank at an end");
}

net::guard_rules outgoing::guard_rules_of(const client_settings& settings) {
  net::guard_rules made;
  made.allow_private = settings.allow_private;
  made.allow_hosts = settings.allow_hosts;
  made.allow_networks = settings.allow_networks;
  made.allow_ports = settings.allow_ports;
  made.settings = "client_settings";
  made.advice = ", or start from client_settings::for_own_services()";
  return made;
}

std::shared_ptr<boost::asio::ssl::context> outgoing::make_tls(const client_tls& settings) {
  net::tls_rules made;
  made.system_authorities = settings.system_authorities;
  made.authority_file = settings.authority_file;
  made.certificate_file = settings.certificate_file;
  made.key_file = settings.key_file;
  made.verify = !settings.dangerously_accept_any_certificate;
  made.protocols = {"http/1.1"};
  made.settings = "client_settings::tls";
  return net::make_tls(made);
}

client_settings client_settings::for_own_services() {
  client_settings made;
  made.allow_private = true;
  made.limits.redirects = 0;
  return made;
}

client_settings client_settings::for_user_supplied_urls() {
  client_settings made;
  made.allow_ports = {80, 443};
  made.timeouts.total = std::chrono::milliseconds(10'000);
  made.limits.redirects = 3;
  made.limits.body = byte_size{1024 * 1024};
  return made;
}

}  // namespace corbel
