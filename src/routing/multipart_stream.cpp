#include "corbel/routing/multipart_stream.hpp"

#include "corbel/http/upload.hpp"

namespace corbel {
namespace {

multipart_limits limits_of(const request& in) {
  const auto* settings = in.services().find<multipart_settings>();
  return settings ? settings->limits : multipart_limits();
}

}  // namespace

/// Brings the parser and the body together.
struct multipart_stream::reader {
  reader(const request& in, std::string_view boundary)
      : body(in), parser(boundary, limits_of(in)), current(*this) {}

  task<multipart_event> event() {
    for (;;) {
      const auto what = parser.next(input).value();
      if (what != multipart_event::more && what != multipart_event::end) co_return what;
      if (!input.empty()) continue;
      if (!ended) input = co_await body.read();
      ended = ended || input.empty();
      if (!ended) continue;
      parser.finish().value();
      co_return multipart_event::end;
    }
  }

  body_stream body;
  multipart_parser parser;
  std::string_view input;
  bool ended = false;
  bool in_part = false;
  part current;
};

multipart_stream::multipart_stream(const request& in, std::string_view boundary)
    : reader_(std::make_unique<reader>(in, boundary)) {}
multipart_stream::multipart_stream(multipart_stream&&) noexcept = default;
multipart_stream::~multipart_stream() = default;

const part_head& multipart_stream::part::head() const noexcept {
  return from_->parser.head();
}

task<std::string_view> multipart_stream::part::read() {
  auto& from = *from_;
  while (from.in_part) {
    switch (co_await from.event()) {
      case multipart_event::data: co_return from.parser.data();
      default: from.in_part = false;
    }
  }
  co_return std::string_view();
}

task<std::string> multipart_stream::part::read_all(std::size_t limit) {
  std::string all;
  for (auto piece = co_await read(); !piece.empty(); piece = co_await read()) {
    if (piece.size() > limit - all.size())
      throw failure({error_kind::payload_too_large, "field_too_large",
                     "The form's field \"" + name() + "\" may have " + std::to_string(limit) + " bytes."});
    all += piece;
  }
  co_return all;
}

task<multipart_stream::part*> multipart_stream::next() {
  auto& from = *reader_;
  for (;;) {
    const auto what = co_await from.event();
    if (what == multipart_event::end) co_return nullptr;
    if (what != multipart_event::part) continue;
    from.in_part = true;
    co_return &from.current;
  }
}

namespace detail {

void read_boundary(const request& in, std::string& boundary, extraction& failed) {
  auto read = multipart_boundary(in.header("content-type"));
  if (read)
    boundary = std::move(*read);
  else
    failed.refuse(std::move(read).error());
}

}  // namespace detail
}  // namespace corbel
