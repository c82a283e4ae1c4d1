#include "corbel/middleware/security_headers.hpp"

namespace corbel {
namespace {

header_block block_of(const security_header_values& v) {
  header_block made;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) made.add(name, value);
  };
  add("Content-Security-Policy", v.content_security_policy);
  add("Cross-Origin-Opener-Policy", v.cross_origin_opener_policy);
  add("Cross-Origin-Resource-Policy", v.cross_origin_resource_policy);
  add("Origin-Agent-Cluster", v.origin_agent_cluster);
  add("Referrer-Policy", v.referrer_policy);
  add("Strict-Transport-Security", v.strict_transport_security);
  add("X-Content-Type-Options", v.x_content_type_options);
  add("X-DNS-Prefetch-Control", v.x_dns_prefetch_control);
  add("X-Download-Options", v.x_download_options);
  add("X-Frame-Options", v.x_frame_options);
  add("X-Permitted-Cross-Domain-Policies", v.x_permitted_cross_domain_policies);
  add("X-XSS-Protection", v.x_xss_protection);
  return made;
}

}  // namespace

security_headers::security_headers(const security_header_values& values) : fields_(block_of(values)) {}

}  // namespace corbel
