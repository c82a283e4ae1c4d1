#include "corbel/base/error.hpp"

namespace corbel {
namespace {

/// Whether the message is a polite word for a cause that is kept from the client.
bool cause_says_all(const error& e) {
  return e.kind() == error_kind::internal || e.kind() == error_kind::unavailable;
}

}  // namespace

failure::failure(corbel::error e) : error_(std::move(e)) {
  if (!error_.cause().empty() && !cause_says_all(error_))
    both_ = error_.message() + " (" + error_.cause() + ')';
}

const char* failure::what() const noexcept {
  if (error_.cause().empty()) return error_.message().c_str();
  return cause_says_all(error_) ? error_.cause().c_str() : both_.c_str();
}

error malformed(std::string message, std::string code) {
  return {error_kind::malformed, std::move(code), std::move(message)};
}
error invalid(std::vector<violation> violations) {
  std::string message =
      std::to_string(violations.size()) + " values were refused; details.errors lists each.";
  if (violations.size() == 1) {
    const auto& only = violations.front();
    message = only.in + only.path + ' ' + only.message + '.';
  }
  return error{error_kind::invalid, "validation_failed", std::move(message)}.with(std::move(violations));
}
error unauthenticated(std::string message, std::string code) {
  return {error_kind::unauthenticated, std::move(code), std::move(message)};
}
error forbidden(std::string message, std::string code) {
  return {error_kind::forbidden, std::move(code), std::move(message)};
}
error not_found(std::string message, std::string code) {
  return {error_kind::not_found, std::move(code), std::move(message)};
}
error conflict(std::string message, std::string code) {
  return {error_kind::conflict, std::move(code), std::move(message)};
}
error unprocessable(std::string message, std::string code) {
  return {error_kind::unprocessable, std::move(code), std::move(message)};
}
error unavailable(std::string message, std::string code) {
  return {error_kind::unavailable, std::move(code), std::move(message)};
}
error internal_error(std::string cause) {
  return error{error_kind::internal, "internal_error",
               "Something went wrong on our side. The request id finds it in our logs."}
      .because(std::move(cause));
}

std::string_view to_string(error_kind kind) noexcept {
  switch (kind) {
    case error_kind::malformed: return "malformed";
    case error_kind::invalid: return "invalid";
    case error_kind::unauthenticated: return "unauthenticated";
    case error_kind::forbidden: return "forbidden";
    case error_kind::not_found: return "not_found";
    case error_kind::method_not_allowed: return "method_not_allowed";
    case error_kind::not_acceptable: return "not_acceptable";
    case error_kind::request_timeout: return "request_timeout";
    case error_kind::conflict: return "conflict";
    case error_kind::precondition_failed: return "precondition_failed";
    case error_kind::payload_too_large: return "payload_too_large";
    case error_kind::uri_too_long: return "uri_too_long";
    case error_kind::unsupported_media_type: return "unsupported_media_type";
    case error_kind::range_not_satisfiable: return "range_not_satisfiable";
    case error_kind::expectation_failed: return "expectation_failed";
    case error_kind::unprocessable: return "unprocessable";
    case error_kind::precondition_required: return "precondition_required";
    case error_kind::too_many_requests: return "too_many_requests";
    case error_kind::headers_too_large: return "headers_too_large";
    case error_kind::client_closed_request: return "client_closed_request";
    case error_kind::internal: return "internal";
    case error_kind::not_implemented: return "not_implemented";
    case error_kind::bad_gateway: return "bad_gateway";
    case error_kind::unavailable: return "unavailable";
    case error_kind::deadline_exceeded: return "deadline_exceeded";
    case error_kind::version_not_supported: return "version_not_supported";
  }
  return "unknown";
}

}  // namespace corbel
