#pragma once

#include <corbel/http/middleware.hpp>

namespace corbel {

/// Gives every 200 to a GET or HEAD a weak ETag made of its body, unless it has one, and answers 304 where
/// the client's copy is still good (RFC 9110, 13). It saves the network, not the work: the handler has run. A
/// streamed body has no tag of this kind.
///
/// List it behind `compression`: then one tag names the content, however it is sent, and a 304 compresses
/// nothing. In front of it works too, with a tag for each coding, but none for a body so large that it is
/// compressed while it is sent.
struct etag {
  void after(const request& in, response& out) const;
};

}  // namespace corbel
