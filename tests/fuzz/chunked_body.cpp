#include "server/http1/chunked.hpp"

#include "fuzz/fuzz.hpp"

namespace {

struct reading {
  corbel::http1::chunked_reader::outcome outcome;
  std::string body;
  std::size_t left = 0;
  std::string code;
};

reading read(std::string_view bytes, std::size_t step, std::size_t limit) {
  using outcome = corbel::http1::chunked_reader::outcome;
  reading made{outcome::incomplete, {}, 0, {}};
  corbel::http1::chunked_reader reader;
  while (!bytes.empty()) {
    auto piece = bytes.substr(0, step);
    const auto size = piece.size();
    std::optional<corbel::error> why;
    made.outcome = reader.feed(piece, made.body, limit, why);
    bytes.remove_prefix(size - piece.size());
    if (why) made.code = why->code();
    if (made.outcome != outcome::incomplete) break;
    fuzz::demand(piece.empty(), "an incomplete body left bytes lying");
  }
  made.left = bytes.size();
  return made;
}

}  // namespace

/// A chunked body reads the same however it was cut, and never grows past its limit.
void fuzz::chunked_body(std::string_view input) {
  using outcome = corbel::http1::chunked_reader::outcome;
  const std::size_t step = 1 + choice(input, 32);
  const std::size_t limit = choice(input, 256) * 8;
  const auto whole = read(input, input.size() + 1, limit);
  const auto cut = read(input, step, limit);
  demand(whole.outcome == cut.outcome && whole.code == cut.code,
         "the outcome depends on how the body was cut");
  demand(whole.body.size() <= limit && cut.body.size() <= limit, "the body grew past its limit");
  if (whole.outcome != outcome::complete) return;
  demand(whole.body == cut.body, "the body depends on how it was cut");
  demand(whole.left == cut.left, "the body's end depends on how it was cut");
}
