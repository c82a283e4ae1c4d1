#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <corbel/http/compressible.hpp>
#include <corbel/http/middleware.hpp>

namespace corbel {

struct compression_settings {
  /// A smaller body goes as it is, unless the client refuses that ("identity;q=0").
  std::size_t least_bytes = 1024;
  /// A larger body is compressed while it is sent, a slice at a time: the loop serves others in between. It
  /// then goes without a Content-Length.
  std::size_t at_once_bytes = 64 * 1024;
  int gzip_level = 4;      ///< 1..9; 0 leaves gzip out
  int brotli_quality = 4;  ///< 1..11; 0 leaves brotli out
  /// Compresses also where the request carries a Cookie or an Authorization, or the response sets a cookie.
  /// Who can make a client send requests and see the length of the answers may learn a secret in them when
  /// the same body repeats what the request said (BREACH). Say it for routes whose bodies hold no secret, or
  /// repeat no input.
  bool even_with_credentials = false;
  /// By Content-Type; thread-safe.
  std::function<bool(std::string_view content_type)> compressible = is_compressible;
};

/// Compresses the bodies of responses by brotli or gzip, as the client's Accept-Encoding weighs them (RFC
/// 9110, 12.5.3), of equal ones by brotli. `Vary: Accept-Encoding` is added wherever the coding may differ,
/// and a strong ETag becomes weak, in the 304 too for a client that names it so. So that such a client can
/// make its changes depend on the ETag that it has, a weak tag in If-Match counts as the strong one behind
/// this layer.
///
/// Never compressed: what is encoded already, 204, 206 and 304, `Cache-Control: no-transform`, and replies to
/// requests with credentials, unless they say `Cache-Control: public` or the settings allow it. A streamed
/// body is compressed as it is produced; its `flush()` reaches the client, and each write of server-sent
/// events is flushed. Those prefer gzip, whose compressor is small enough to keep thousands of them open.
class compression {
 public:
  explicit compression(compression_settings settings = {});
  flow before(request& in, response& out) const;
  void after(const request& in, response& out) const;
  std::vector<std::string> mistakes() const;

 private:
  std::string_view choose(const request& in, bool lasts) const;

  compression_settings settings_;
  std::vector<std::string_view> offered_;
};

}  // namespace corbel
