#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <corbel/http/middleware.hpp>

namespace corbel {

struct decompression_settings {
  /// How many times its encoded length a body may grow to, once it is past 64 KiB. Text and JSON stay far
  /// below; gzip can reach 1032, which only a bomb does.
  std::uint64_t most_ratio = 200;
};

/// Undoes the Content-Encoding of request bodies (gzip, br, deflate), whole ones and those that a handler
/// reads while they arrive. `request::body_limit()` holds for the decoded body: a larger one, and one that
/// grows out of proportion, is 413, and nothing past the limit is ever in memory. Another coding, or one
/// within another, is 415 with Accept-Encoding; a broken or unfinished body, or one with bytes behind its
/// end, 400. The request then has no Content-Encoding any more.
///
/// A whole body is decoded on the loop, about 4 ms for a megabyte: let larger ones be streamed, and put what
/// tells friend from foe in front of this.
class decompression {
 public:
  explicit decompression(decompression_settings settings = {}) : settings_(settings) {}
  flow before(request& in, response& out) const;
  std::vector<std::string> mistakes() const;

 private:
  decompression_settings settings_;
};

}  // namespace corbel
