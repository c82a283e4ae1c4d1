#pragma once

#include <string>
#include <string_view>

#include "corbel/http/context.hpp"
#include "corbel/http/request.hpp"
#include "http/request_access.hpp"
#include "service/routes.hpp"

/// What browsers and load generators send, as bytes and as read requests.
namespace requests {

inline const std::string bare = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:18080\r\n\r\n";

inline const std::string browser =
    "GET /api/v1/projects/42/tasks/1337 HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "Connection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Cache-Control: no-cache\r\n\r\n";

inline const std::string post =
    "POST /api/v1/projects HTTP/1.1\r\nHost: 127.0.0.1:18080\r\nContent-Type: application/json\r\n"
    "Content-Length: " +
    std::to_string(measured_body.size()) + "\r\n\r\n";

/// A request as the server hands it on. `context` outlives it.
inline void fill(corbel::request& in, const corbel::app_context& context, std::string_view method,
                 std::string_view target, std::string_view body = {}) {
  corbel::request_access access(in);
  access.clear();
  access.context(context);
  access.start_line(method, target, 11);
  access.add_header("Host", "127.0.0.1:18080");
  if (!body.empty()) access.add_header("Content-Type", "application/json");
  access.body(body);
}

}  // namespace requests
