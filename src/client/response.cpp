#include "corbel/client/response.hpp"

#include <algorithm>

#include "client/failures.hpp"
#include "corbel/http/field.hpp"
#include "corbel/schema/parse.hpp"

namespace corbel {
namespace {

/// For the log: queries carry keys too often.
std::string without_query(const std::string& url) {
  return url.substr(0, url.find('?'));
}

}  // namespace

client_response::client_response(corbel::status s, std::string body, std::string content_type)
    : code_(static_cast<int>(s)), body_(std::move(body)) {
  if (!body_.empty()) add_header("Content-Type", std::move(content_type));
}

std::optional<std::string_view> client_response::header(std::string_view name) const noexcept {
  for (const auto& [each, value] : headers_)
    if (iequals(each, name)) return value;
  return {};
}

client_response& client_response::remove_header(std::string_view name) {
  std::erase_if(headers_, [&](const auto& each) { return iequals(each.first, name); });
  return *this;
}

result<void> client_response::expect_ok() const {
  if (ok()) return {};
  return outgoing::bad_gateway("unexpected_status", "Another service gave an answer that was not expected.",
                               without_query(url_) + " answered " + std::to_string(code_));
}

result<void> client_response::read_json(const type_descriptor& type, void* out) const {
  auto done = schema::parse_into(type, out, body_);
  if (done) return {};
  // The values stay out of it: they are the other service's, and perhaps secret.
  const auto& wrong = done.error();
  std::string cause = without_query(url_) + ": " + wrong.message();
  for (const auto& each : wrong.violations()) cause += " [" + each.path + ' ' + each.message + ']';
  return outgoing::bad_gateway("unexpected_response", "Another service gave an answer that was not expected.",
                               std::move(cause));
}

}  // namespace corbel
