#pragma once

#include <string>

#include <corbel/http/middleware.hpp>

namespace corbel {

/// Values of the fields that `security_headers` adds; an empty one is left out. What a handler has set itself
/// stays.
struct security_header_values {
  /// Of pages. Its `upgrade-insecure-requests` is left out where the client speaks plain HTTP.
  std::string content_security_policy =
      "default-src 'self';base-uri 'none';font-src 'self' https: data:;form-action 'self';frame-ancestors "
      "'self';"
      "img-src 'self' data:;object-src 'none';script-src 'self';script-src-attr 'none';"
      "style-src 'self' https: 'unsafe-inline';upgrade-insecure-requests";
  std::string cross_origin_opener_policy = "same-origin";
  std::string cross_origin_resource_policy = "same-origin";
  std::string origin_agent_cluster = "?1";
  std::string referrer_policy = "no-referrer";
  /// Only where the client speaks TLS, to us or to a trusted proxy (RFC 6797, 7.2).
  std::string strict_transport_security = "max-age=31536000; includeSubDomains";
  std::string x_content_type_options = "nosniff";
  std::string x_dns_prefetch_control = "off";
  std::string x_download_options = "noopen";
  std::string x_frame_options = "SAMEORIGIN";
  std::string x_permitted_cross_domain_policies = "none";
  std::string x_xss_protection = "0";
  /// Of data. A reply that nobody reads as a document runs nothing, loads nothing and stands in no frame.
  std::string data_content_security_policy = "default-src 'none'; frame-ancestors 'none'";
};

/// Adds them to every response, errors included: to pages, and whatever else a browser may run or embed,
/// Helmet's whole set; to data (JSON, plain text, CSV, event streams, and what has no Content-Type) the short
/// set of an API: `data_content_security_policy`, X-Content-Type-Options and Strict-Transport-Security. A 304
/// has only the last one, for its fields would replace those of the stored reply.
///
/// Data that is a person's goes into no shared cache: where the request has a Cookie or an Authorization, or
/// the reply sets a cookie, and the reply says nothing of caching, it gets `Cache-Control: no-store`, or
/// `private, no-cache` when it has an ETag or a Last-Modified.
class security_headers {
 public:
  /// Throws std::invalid_argument for a value that may not stand in a header.
  explicit security_headers(const security_header_values& values = {});
  void after(const request& in, response& out) const;

 private:
  struct sets {
    standing_headers page, data, unchanged;
  };
  static sets sets_of(const security_header_values& values, bool protected_by_tls);
  sets plain_, tls_;
};

}  // namespace corbel
