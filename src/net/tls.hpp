#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>
#include <vector>

namespace corbel::net {

/// How a client of TLS knows servers, and they know it.
struct tls_rules {
  bool system_authorities = true;  ///< trust what the system trusts
  std::string authority_file;      ///< PEM; trusted besides
  std::string certificate_file;    ///< PEM chain that the client shows; goes with `key_file`
  std::string key_file;
  bool verify = true;
  std::vector<std::string> protocols;  ///< offered by ALPN (RFC 7301), such as "http/1.1"; none when empty
  std::string settings;                ///< what its user calls the settings above, for messages
};

/// For TLS 1.2 and later. Throws std::invalid_argument when a file cannot be read or used.
std::shared_ptr<boost::asio::ssl::context> make_tls(const tls_rules& rules);

}  // namespace corbel::net
