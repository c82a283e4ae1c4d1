#include "corbel/middleware/security_headers.hpp"

#include <algorithm>
#include <string_view>

#include "corbel/http/field.hpp"
#include "http/response_access.hpp"

namespace corbel {
namespace {

constexpr known_line no_store("Cache-Control", "Cache-Control: no-store\r\n");
constexpr known_line private_no_cache("Cache-Control", "Cache-Control: private, no-cache\r\n");

/// The policy without the directive that makes a page of plain HTTP ask for its parts by TLS.
std::string without_upgrade(std::string_view policy) {
  std::string kept;
  for (std::string_view rest = policy; !rest.empty();) {
    const auto directive = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), directive.size() + 1));
    if (iequals(trim_space(directive), "upgrade-insecure-requests")) continue;
    if (!kept.empty()) kept += ';';
    kept += directive;
  }
  return std::string(trim_space(kept));
}

/// Whether a browser shows it as what it is, and neither runs nor embeds it.
bool is_data(std::string_view content_type) {
  constexpr std::string_view plus_json = "+json";
  const auto type = trim_space(content_type.substr(0, content_type.find(';')));
  for (const std::string_view known :
       {"application/json", "text/plain", "text/event-stream", "text/csv", "application/x-ndjson"})
    if (iequals(type, known)) return true;
  return type.size() > plus_json.size() && iequals(type.substr(type.size() - plus_json.size()), plus_json);
}

/// Keeps a person's data out of caches that do not know whose it is.
void keep_private(const request& in, response& out) {
  if (!in.header("cookie") && !in.header("authorization") && !out.header("set-cookie")) return;
  if (out.header("cache-control") || out.header("expires")) return;
  response_access access(out);
  if (out.header("etag") || out.header("last-modified"))
    access.set<private_no_cache>();
  else
    access.set<no_store>();
}

}  // namespace

security_headers::sets security_headers::sets_of(const security_header_values& v, bool protected_by_tls) {
  const auto add = [](header_block& to, std::string_view name, const std::string& value) {
    if (!value.empty()) to.add(name, value);
  };
  header_block unchanged;
  if (protected_by_tls) add(unchanged, "Strict-Transport-Security", v.strict_transport_security);
  header_block data;
  add(data, "Content-Security-Policy", v.data_content_security_policy);
  add(data, "X-Content-Type-Options", v.x_content_type_options);
  if (protected_by_tls) add(data, "Strict-Transport-Security", v.strict_transport_security);
  header_block page;
  add(page, "Content-Security-Policy",
      protected_by_tls ? v.content_security_policy : without_upgrade(v.content_security_policy));
  add(page, "Cross-Origin-Opener-Policy", v.cross_origin_opener_policy);
  add(page, "Cross-Origin-Resource-Policy", v.cross_origin_resource_policy);
  add(page, "Origin-Agent-Cluster", v.origin_agent_cluster);
  add(page, "Referrer-Policy", v.referrer_policy);
  if (protected_by_tls) add(page, "Strict-Transport-Security", v.strict_transport_security);
  add(page, "X-Content-Type-Options", v.x_content_type_options);
  add(page, "X-DNS-Prefetch-Control", v.x_dns_prefetch_control);
  add(page, "X-Download-Options", v.x_download_options);
  add(page, "X-Frame-Options", v.x_frame_options);
  add(page, "X-Permitted-Cross-Domain-Policies", v.x_permitted_cross_domain_policies);
  add(page, "X-XSS-Protection", v.x_xss_protection);
  return {standing_headers(page), standing_headers(data), standing_headers(unchanged)};
}

security_headers::security_headers(const security_header_values& values)
    : plain_(sets_of(values, false)), tls_(sets_of(values, true)) {}

void security_headers::after(const request& in, response& out) const {
  const auto& fields = in.scheme() == "https" ? tls_ : plain_;
  if (out.status() == status::not_modified) {
    out.add(fields.unchanged);
    return;
  }
  const auto type = out.header("content-type");
  if (type && !is_data(*type)) {
    out.add(fields.page);
    return;
  }
  keep_private(in, out);
  out.add(fields.data);
}

}  // namespace corbel
