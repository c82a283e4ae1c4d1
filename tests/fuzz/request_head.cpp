#include "server/http1/head.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"
#include "http/request_access.hpp"

namespace {

struct reading {
  corbel::http1::head_outcome outcome;
  std::size_t size = 0;
  std::optional<corbel::error> why;
  corbel::request in;
  corbel::http1::message_framing framing;
};

/// Reads a head that arrives in pieces of `step` bytes.
reading read(std::string_view bytes, std::size_t step) {
  using corbel::http1::head_outcome;
  reading made;
  corbel::request_access(made.in).clear();
  corbel::http1::head_scan scan;
  const corbel::server_limits limits;
  for (std::size_t have = 0;;) {
    have = std::min(bytes.size(), have + step);
    made.outcome = corbel::http1::scan_head(bytes.substr(0, have), scan, limits, made.size, made.why);
    if (made.outcome != head_outcome::incomplete || have == bytes.size()) break;
  }
  if (made.outcome == head_outcome::complete)
    made.why = corbel::http1::parse_head(bytes.substr(0, made.size), made.in, made.framing);
  return made;
}

}  // namespace

/// The answer to a head does not depend on how the network cut it, and what is accepted is sound.
void fuzz::request_head(std::string_view input) {
  const std::size_t step = 1 + choice(input, 64);
  const auto whole = read(input, input.size() + 1);
  const auto cut = read(input, step);
  demand(whole.outcome == cut.outcome, "the outcome depends on how the head was cut");
  demand(whole.why.has_value() == cut.why.has_value(), "the refusal depends on how the head was cut");
  if (whole.why) demand(whole.why->code() == cut.why->code(), "the error depends on how the head was cut");
  if (whole.outcome != corbel::http1::head_outcome::complete || whole.why) return;
  demand(whole.size == cut.size, "the head's size depends on how it was cut");
  demand(!whole.in.target().empty() && !whole.in.method_name().empty(), "a request without method or target");
  demand(whole.framing.content_length == cut.framing.content_length &&
             whole.framing.chunked == cut.framing.chunked,
         "the framing depends on how the head was cut");
  demand(!(whole.framing.chunked && whole.framing.content_length != 0), "a body with two framings");
  for (const auto& field : whole.in.headers()) {
    demand(corbel::is_token(field.name), "a field whose name is no token");
    demand(corbel::is_field_value(field.value), "a field whose value holds a control character");
  }
}
