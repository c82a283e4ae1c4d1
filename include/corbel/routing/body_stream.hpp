#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <corbel/http/body_stream.hpp>
#include <corbel/routing/extract.hpp>

namespace corbel {

/// The request's body as it arrives, as a handler's parameter: it may be larger than memory. The handler's
/// route states the limit by `body_limit(bytes)`. Lives as long as the request.
///
///     task<no_content> store(body_stream body, state<archive> files) {
///       for (auto piece = co_await body.read(); !piece.empty(); piece = co_await body.read())
///         co_await files->append(piece);
///       co_return no_content{};
///     }
class body_stream {
 public:
  explicit body_stream(const request& in) : in_(&in) {}

  /// The next piece; empty at the end. Otherwise as `body_source::read`.
  task<std::string_view> read();
  /// All that is left, in memory.
  task<std::string> read_all();

 private:
  const request* in_;
  bool given_ = false;  // the body came whole, and was given
};

namespace detail {

template <>
struct parameter<body_stream> {
  static constexpr bool known = true;
  static constexpr bool streams = true;
  struct slot {};
  static void fill(const request&, slot&, extraction&) {}
  static body_stream give(request& in, slot&) { return body_stream(in); }
  static void note(endpoint_contract&) {}
};

}  // namespace detail
}  // namespace corbel
