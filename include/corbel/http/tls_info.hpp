#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/base/time.hpp>

namespace corbel {

/// Who the client proved to be. It was checked against `tls_settings::client_ca` before any request was read.
struct tls_client_certificate {
  std::string subject;  ///< by RFC 2253, such as "CN=meter 7,O=Example"
  std::string issuer;   ///< likewise
  std::string serial;   ///< hexadecimal, upper case
  std::vector<std::string>
      names;                ///< subjectAltName: "DNS:a.example", "email:...", "URI:...", "IP:192.0.2.1"
  std::string fingerprint;  ///< SHA-256 over the certificate, 64 lower-case hexadecimal digits
  timestamp not_after;
};

/// How a connection is protected.
struct tls_info {
  std::string_view version;  ///< "TLSv1.2" or "TLSv1.3"
  std::string_view cipher;   ///< by OpenSSL's name, such as "TLS_AES_256_GCM_SHA384"
  std::string server_name;   ///< which the client asked for (SNI); empty when it named none
  bool resumed = false;      ///< by a session ticket
  /// Absent when the client showed none; see `tls_settings::clients`.
  std::optional<tls_client_certificate> client;
};

}  // namespace corbel
