#pragma once

#include <cstdint>
#include <string_view>

#include <corbel/base/error.hpp>

namespace corbel {

/// The status codes that a service sends (RFC 9110, 15). Any value from 200 to 599 may be cast to it.
enum class status : std::uint16_t {
  ok = 200,
  created = 201,
  accepted = 202,
  no_content = 204,
  partial_content = 206,
  moved_permanently = 301,
  found = 302,
  see_other = 303,
  not_modified = 304,
  temporary_redirect = 307,
  permanent_redirect = 308,
  bad_request = 400,
  unauthorized = 401,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  request_timeout = 408,
  conflict = 409,
  gone = 410,
  precondition_failed = 412,
  payload_too_large = 413,
  uri_too_long = 414,
  unsupported_media_type = 415,
  range_not_satisfiable = 416,
  expectation_failed = 417,
  unprocessable_content = 422,
  precondition_required = 428,
  too_many_requests = 429,
  headers_too_large = 431,
  client_closed_request = 499,  ///< not registered, and never sent: what logs call a client that left
  internal_server_error = 500,
  not_implemented = 501,
  bad_gateway = 502,
  service_unavailable = 503,
  gateway_timeout = 504,
  version_not_supported = 505,
};

/// "Not Found"; empty for a code without a registered phrase.
std::string_view reason_phrase(status s) noexcept;
/// The one mapping from what went wrong to the status that says so.
status status_of(error_kind kind) noexcept;

}  // namespace corbel
