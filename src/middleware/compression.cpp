#include "corbel/middleware/compression.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "corbel/http/accept.hpp"
#include "http/coding/coding.hpp"
#include "http/request_access.hpp"
#include "http/tag_list.hpp"

namespace corbel {
namespace {

using coding::step;

constexpr std::size_t slice_bytes = 32 * 1024;  // less than a millisecond of compressing

// Thousands of event streams may be open at once, and each keeps its compressor.
constexpr std::uint64_t remembered_of_events = 4 * 1024;

struct plan {
  coding::format format;
  int level;
  bool flush_each;
};

/// Compresses what a producer writes, on its way to the client.
class compressing_sink final : public body_sink {
 public:
  compressing_sink(body_sink& to, const plan& how, std::optional<std::uint64_t> size)
      : to_(to), how_(how), encoder_(how.format, how.level, size) {}

  task<> write(std::string_view bytes) override {
    while (bytes.size() > slice_bytes) {
      co_await slice(bytes.substr(0, slice_bytes), step::more);
      bytes.remove_prefix(slice_bytes);
      co_await boost::asio::post(boost::asio::use_awaitable);  // the sink may take it all without a pause
    }
    co_await slice(bytes, how_.flush_each ? step::flush : step::more);
    if (how_.flush_each) co_await to_.flush();
  }
  task<> flush() override {
    co_await slice(std::string_view(), step::flush);
    co_await to_.flush();
  }
  task<> finish() { co_await slice(std::string_view(), step::finish); }

 private:
  task<> slice(std::string_view bytes, step what) {
    ready_.clear();
    encoder_.put(bytes, what, ready_);
    if (!ready_.empty()) co_await to_.write(ready_);
  }

  body_sink& to_;
  plan how_;
  coding::encoder encoder_;
  std::string ready_;
};

struct compressed_stream {
  body_producer produce;
  plan how;
  std::optional<std::uint64_t> size;
  task<> operator()(body_sink& to) const {
    compressing_sink through(to, how, size);
    co_await produce(through);
    co_await through.finish();
  }
};

struct whole_body {
  std::string text;
  task<> operator()(body_sink& to) const { return to.write(text); }
};

bool has_credentials(const request& in, const response& out) {
  return in.header("cookie") || in.header("authorization") || out.header("set-cookie");
}

bool may_have_body(status s) {
  return s != status::no_content && s != status::partial_content && s != status::not_modified;
}

bool refuses_identity(const request& in) {
  return preferred_encoding(in, std::initializer_list<std::string_view>{}).empty();
}

/// Equal bodies are no longer equal bytes (RFC 9110, 8.8.1), and ranges of them no longer those that were
/// offered.
void mark(response& out, std::string_view coding) {
  out.set("Content-Encoding", coding);
  out.remove("Accept-Ranges");
  if (const auto tag = out.header("etag"); tag && tag->substr(0, 2) != "W/")
    out.set("ETag", "W/" + std::string(*tag));
}

struct strengthened_tags {
  std::string text;
};

/// Calls `tag` with each entity tag of a list, and `other` with each byte between them.
template <class Tag, class Other>
void each_tag(std::string_view list, Tag tag, Other other) {
  while (!list.empty()) {
    if (const auto found = take_tag(list)) {
      tag(*found);
    } else {
      other(list.front());
      list.remove_prefix(1);
    }
  }
}

/// The 200 that the client has was compressed when it knows our strong tag as a weak one: the 304 names it as
/// that 200 did (RFC 9110, 15.4.5).
void weaken_as_named(const request& in, response& out) {
  const auto own = out.header("etag");
  if (!own || own->substr(0, 2) == "W/") return;
  const std::string made = "W/" + std::string(*own);
  bool named = false;
  for (const auto& field : in.headers())
    if (iequals(field.name, "if-none-match"))
      each_tag(
          field.value,
          [&](const tag_view& tag) {
            named |= tag.weak && made.size() == tag.opaque.size() + 4 &&
                     std::string_view(made).substr(3, tag.opaque.size()) == tag.opaque;
          },
          [](char) {});
  if (named) out.set("ETag", made);
}

}  // namespace

flow compression::before(request& in, response&) const {
  if (!in.header("if-match")) return flow::proceed;
  std::string all;
  for (const auto& field : in.headers()) {
    if (!iequals(field.name, "if-match")) continue;
    if (!all.empty()) all += ", ";
    each_tag(
        field.value, [&](const tag_view& tag) { all.append("\"").append(tag.opaque).append("\""); },
        [&](char c) { all += c; });
  }
  request_access access(in);
  access.remove_header("if-match");
  access.add_header("If-Match", in.emplace(strengthened_tags{std::move(all)}).text);
  return flow::proceed;
}

compression::compression(compression_settings settings) : settings_(std::move(settings)) {
  if (settings_.brotli_quality > 0) offered_.push_back(coding::name_of(coding::format::brotli));
  if (settings_.gzip_level > 0) offered_.push_back(coding::name_of(coding::format::gzip));
}

std::vector<std::string> compression::mistakes() const {
  std::vector<std::string> wrong;
  if (settings_.gzip_level < 0 || settings_.gzip_level > 9)
    wrong.emplace_back("compression: gzip_level is out of its range; take 1 to 9, or 0 to leave gzip out");
  if (settings_.brotli_quality < 0 || settings_.brotli_quality > 11)
    wrong.emplace_back(
        "compression: brotli_quality is out of its range; take 1 to 11, or 0 to leave brotli out");
  if (offered_.empty())
    wrong.emplace_back("compression: neither gzip nor brotli is left; set a level, or do not use it");
  if (!settings_.compressible)
    wrong.emplace_back("compression: compressible is empty; leave it at is_compressible");
  return wrong;
}

std::string_view compression::choose(const request& in, bool lasts) const {
  const auto favourite = preferred_encoding(in, offered_);
  if (!lasts || favourite.empty() || favourite == "identity" || settings_.gzip_level == 0) return favourite;
  const auto gzip = coding::name_of(coding::format::gzip);  // a tenth of brotli's memory
  return preferred_encoding(in, {gzip}) == gzip ? gzip : favourite;
}

void compression::after(const request& in, response& out) const {
  if (out.status() == status::not_modified) {
    weaken_as_named(in, out);
    return vary(out, "Accept-Encoding");
  }
  const auto type = out.header("content-type");
  if (!type || !may_have_body(out.status()) || out.header("content-encoding") || out.header("content-range"))
    return;
  const auto* streamed = out.streams();
  if (!streamed && out.body().empty()) return;
  const auto cache = out.header("cache-control");
  if ((cache && list_contains(*cache, "no-transform")) || !settings_.compressible(*type)) return;

  const bool event_stream = iequals(type->substr(0, 17), "text/event-stream");
  vary(out, "Accept-Encoding");  // from here on views into the header are gone
  const auto now = out.header("cache-control");
  if (!settings_.even_with_credentials && has_credentials(in, out) &&
      (out.header("set-cookie") || !now || !list_contains(*now, "public")))
    return;
  const bool flush_each = event_stream || (streamed && streamed->endless);
  const auto chosen = choose(in, flush_each);
  const auto format = coding::format_named(chosen);
  if (!format) return;
  const std::optional<std::uint64_t> size = streamed ? streamed->length : out.body().size();
  if (size && *size < settings_.least_bytes && !refuses_identity(in)) return;

  const plan how{*format, *format == coding::format::brotli ? settings_.brotli_quality : settings_.gzip_level,
                 flush_each};
  if (streamed) {
    const auto remembered = flush_each ? std::optional<std::uint64_t>(remembered_of_events) : size;
    out.replace_stream({compressed_stream{streamed->produce, how, remembered}, {}, streamed->endless});
  } else if (*size > settings_.at_once_bytes) {
    whole_body whole{std::move(out.body_buffer())};
    out.replace_stream({compressed_stream{body_producer(std::move(whole)), how, size}, {}, false});
  } else {
    thread_local std::string made;
    made.clear();
    coding::encoder(how.format, how.level, size).put(out.body(), step::finish, made);
    if (made.size() >= out.body().size() && !refuses_identity(in)) return;
    out.body_buffer().swap(made);
  }
  mark(out, chosen);
}

}  // namespace corbel
