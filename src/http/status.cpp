#include "corbel/http/status.hpp"

namespace corbel {

std::string_view reason_phrase(status s) noexcept {
  switch (static_cast<int>(s)) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return {};
  }
}

status status_of(error_kind kind) noexcept {
  switch (kind) {
    case error_kind::malformed:
    case error_kind::invalid: return status::bad_request;
    case error_kind::unauthenticated: return status::unauthorized;
    case error_kind::forbidden: return status::forbidden;
    case error_kind::not_found: return status::not_found;
    case error_kind::method_not_allowed: return status::method_not_allowed;
    case error_kind::not_acceptable: return status::not_acceptable;
    case error_kind::request_timeout: return status::request_timeout;
    case error_kind::conflict: return status::conflict;
    case error_kind::precondition_failed: return status::precondition_failed;
    case error_kind::payload_too_large: return status::payload_too_large;
    case error_kind::uri_too_long: return status::uri_too_long;
    case error_kind::unsupported_media_type: return status::unsupported_media_type;
    case error_kind::range_not_satisfiable: return status::range_not_satisfiable;
    case error_kind::expectation_failed: return status::expectation_failed;
    case error_kind::unprocessable: return status::unprocessable_content;
    case error_kind::precondition_required: return status::precondition_required;
    case error_kind::too_many_requests: return status::too_many_requests;
    case error_kind::headers_too_large: return status::headers_too_large;
    case error_kind::client_closed_request: return status::client_closed_request;
    case error_kind::internal: return status::internal_server_error;
    case error_kind::not_implemented: return status::not_implemented;
    case error_kind::bad_gateway: return status::bad_gateway;
    case error_kind::unavailable: return status::service_unavailable;
    case error_kind::deadline_exceeded: return status::gateway_timeout;
    case error_kind::version_not_supported: return status::version_not_supported;
  }
  return status::internal_server_error;
}

}  // namespace corbel
