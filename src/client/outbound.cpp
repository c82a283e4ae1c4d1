#include "corbel/client/outbound.hpp"

#include <algorithm>

#include "corbel/http/field.hpp"
#include "corbel/http/request.hpp"
#include "corbel/http/url.hpp"

namespace corbel {
namespace {

bool is_client_owned(std::string_view name) {
  constexpr std::string_view owned[] = {"host",    "connection",     "keep-alive",        "proxy-connection",
                                        "expect",  "content-length", "transfer-encoding", "te",
                                        "trailer", "upgrade"};
  return std::any_of(std::begin(owned), std::end(owned),
                     [&](std::string_view each) { return iequals(each, name); });
}

bool is_credential(std::string_view name) {
  return iequals(name, "authorization") || iequals(name, "cookie") || iequals(name, "proxy-authorization");
}

error mistaken(std::string message) {
  return {error_kind::internal, "invalid_request", std::move(message)};
}

/// "00-<32 hex>-<16 hex>-<2 hex>" (W3C Trace Context, 3.2): what is anything else is not passed on.
bool is_traceparent(std::string_view text) {
  if (text.size() != 55) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 2 || i == 35 || i == 52;
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !hex) return false;
  }
  return true;
}

}  // namespace

outbound& outbound::header(std::string name, std::string value) & {
  if (mistake_) return *this;
  if (!is_token(name)) {
    mistake_ = mistaken("A header name of the call is no token.");
  } else if (!is_field_value(value)) {
    mistake_ = mistaken("The value of " + name + " holds a control character, or a blank at an end.");
  } else if (is_client_owned(name)) {
    mistake_ = mistaken("The header " + name + " is the client's to write; leave it out.");
  } else {
    const bool secret = is_credential(name);
    const auto at =
        std::find_if(headers_.begin(), headers_.end(), [&](const field& f) { return iequals(f.name, name); });
    if (at != headers_.end())
      *at = {std::move(name), std::move(value), secret};
    else
      headers_.push_back({std::move(name), std::move(value), secret});
  }
  return *this;
}

outbound& outbound::secret_header(std::string name, std::string value) & {
  const std::string kept = name;
  header(std::move(name), std::move(value));
  for (auto& each : headers_)
    if (iequals(each.name, kept)) each.secret = true;
  return *this;
}

outbound& outbound::query(std::string name, std::string value) & {
  query_.emplace_back(std::move(name), std::move(value));
  return *this;
}

outbound& outbound::body(std::string content, std::string content_type) & {
  body_ = std::move(content);
  producer_ = {};
  return header("Content-Type", std::move(content_type));
}

outbound& outbound::form(const std::vector<std::pair<std::string, std::string>>& fields) & {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    text += percent_encode(name) + '=' + percent_encode(value);
  }
  return body(std::move(text), "application/x-www-form-urlencoded");
}

outbound& outbound::stream(body_producer produce, std::string content_type,
                           std::optional<std::uint64_t> length) & {
  body_.clear();
  producer_ = std::move(produce);
  length_ = length;
  return header("Content-Type", std::move(content_type));
}

outbound& outbound::on_behalf_of(const request& in) & {
  if (!in.id().empty()) header("X-Request-Id", std::string(in.id()));
  const auto parent = in.header("traceparent");
  if (!parent || !is_traceparent(*parent)) return *this;
  header("traceparent", std::string(*parent));
  const auto state = in.header("tracestate");
  if (state && is_field_value(*state) && state->size() <= 512) header("tracestate", std::string(*state));
  return *this;
}

std::optional<std::string_view> outbound::header(std::string_view name) const noexcept {
  for (const auto& each : headers_)
    if (iequals(each.name, name)) return each.value;
  return {};
}

}  // namespace corbel
