#pragma once

#include <string>

#include <corbel/http/middleware.hpp>

namespace corbel {

/// The headers that Helmet sets, with its values; an empty one is left out. What a handler has set itself
/// stays.
struct security_header_values {
  std::string content_security_policy =
      "default-src 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';frame-ancestors "
      "'self';"
      "img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';"
      "style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests";
  std::string cross_origin_opener_policy = "same-origin";
  std::string cross_origin_resource_policy = "same-origin";
  std::string origin_agent_cluster = "?1";
  std::string referrer_policy = "no-referrer";
  std::string strict_transport_security = "max-age=31536000; includeSubDomains";
  std::string x_content_type_options = "nosniff";
  std::string x_dns_prefetch_control = "off";
  std::string x_download_options = "noopen";
  std::string x_frame_options = "SAMEORIGIN";
  std::string x_permitted_cross_domain_policies = "none";
  std::string x_xss_protection = "0";
};

/// Adds them to every response, errors included.
class security_headers {
 public:
  /// Throws std::invalid_argument for a value that may not stand in a header.
  explicit security_headers(const security_header_values& values = {});
  void after(const request&, response& out) const { out.add(fields_); }

 private:
  standing_headers fields_;
};

}  // namespace corbel
