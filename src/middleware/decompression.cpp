#include "corbel/middleware/decompression.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>

#include "corbel/http/body_stream.hpp"
#include "corbel/http/problem.hpp"
#include "http/coding/limited_decoder.hpp"
#include "http/request_access.hpp"

namespace corbel {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

struct decoded_body {
  std::string text;
};

/// The arriving body, decoded piece by piece as the handler asks for it.
class decoding_source final : public body_source {
 public:
  decoding_source(body_source& from, coding::format f, const coding::growth_limits& limits)
      : from_(from), decoder_(f, limits) {}

  task<std::string_view> read() override {
    if (refused_) throw failure(*refused_);
    out_.clear();
    while (out_.empty() && !over_) {
      if (!more_) {
        in_ = co_await from_.read();
        over_ = in_.empty();
        if (over_ && !any_) co_return in_;  // nothing is no less for being encoded
        any_ = true;
      } else {
        // A small piece may hold much: others are served between two parts of it.
        co_await boost::asio::post(boost::asio::use_awaitable);
      }
      auto more = decoder_.take(in_, out_, piece_bytes);
      if (more && over_ && !*more)
        if (auto complete = decoder_.finish(); !complete) more = std::move(complete).error();
      if (!more) {
        refused_ = std::move(more).error();
        throw failure(*refused_);
      }
      more_ = *more;
    }
    co_return out_;
  }

 private:
  body_source& from_;
  coding::limited_decoder decoder_;
  std::string_view in_;
  std::string out_;
  std::optional<error> refused_;
  bool more_ = false;  // the decoder has more from what it was given
  bool over_ = false;
  bool any_ = false;  // some of it has come
};

result<std::string> decode(std::string_view in, coding::format f, const coding::growth_limits& limits) {
  coding::limited_decoder decoder(f, limits);
  std::string out;
  for (bool more = true; more;) {
    auto came = decoder.take(in, out, piece_bytes);
    if (!came) return std::move(came).error();
    more = *came;
  }
  if (auto complete = decoder.finish(); !complete) return std::move(complete).error();
  return out;
}

/// The codings of the body but "identity", counted, and the last of them.
struct codings {
  std::size_t count = 0;
  std::string_view last;
};
codings codings_of(const request& in) {
  codings found;
  for (const auto& field : in.headers()) {
    if (!iequals(field.name, "content-encoding")) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      const auto name = next_item(rest);
      if (name.empty() || iequals(name, "identity")) continue;
      ++found.count;
      found.last = name;
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> decompression::mistakes() const {
  if (settings_.most_ratio > 0) return {};
  return {"decompression: most_ratio is 0, which no body can keep to; leave it at 200"};
}

flow decompression::before(request& in, response& out) const {
  if (in.body().empty() && !in.arriving()) {
    request_access(in).remove_header("content-encoding");  // nothing is no less for being encoded
    return flow::proceed;
  }
  const auto asked = codings_of(in);
  if (asked.count == 0) return flow::proceed;
  const auto format = coding::format_named(asked.last);
  if (asked.count > 1 || !format) {
    problem::write(
        in,
        error(error_kind::unsupported_media_type, "unsupported_encoding",
              "The body may have one Content-Encoding, gzip, br or deflate; send it so, or plain."),
        out);
    out.set("Accept-Encoding", "br, gzip, deflate");
    return flow::stop;
  }
  const coding::growth_limits limits{in.body_limit(), settings_.most_ratio};
  request_access access(in);
  if (auto* arriving = in.arriving()) {
    auto& source = in.emplace(std::make_unique<decoding_source>(*arriving, *format, limits));
    access.arriving(source.get());
  } else {
    auto text = decode(in.body(), *format, limits);
    if (!text) {
      problem::write(in, text.error(), out);
      return flow::stop;
    }
    access.body(in.emplace(decoded_body{*std::move(text)}).text);
  }
  access.remove_header("content-encoding");
  return flow::proceed;
}

}  // namespace corbel
