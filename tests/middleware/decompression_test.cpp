#include "corbel/middleware/decompression.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "corbel/app/app.hpp"
#include "corbel/http/body_stream.hpp"
#include "http/coding/coding.hpp"
#include "http/request_access.hpp"

using namespace corbel;

namespace {

struct note {
  std::string text;
};
constexpr auto describe(corbel::tag<note>) {
  using namespace corbel::rules;
  return object(field("text", &note::text, text()));
}

std::string encode(coding::format f, std::string_view text) {
  std::string out;
  coding::encoder(f, 9, text.size()).put(text, coding::step::finish, out);
  return out;
}

/// Stands for the server: hands a body over in pieces.
struct in_pieces final : body_source {
  in_pieces(std::string_view all, std::size_t piece) : left(all), size(piece) {}
  task<std::string_view> read() override {
    const auto piece = left.substr(0, size);
    left.remove_prefix(piece.size());
    co_return piece;
  }
  std::string_view left;
  std::size_t size;
};

struct streamed {
  std::string text;
  std::string refused;  // the code of the error, when there was one
  std::string again;    // that of the next read
  std::size_t largest = 0;
};

task<> read_all(body_source* from, streamed* into) {
  try {
    for (auto piece = co_await from->read(); !piece.empty(); piece = co_await from->read()) {
      into->text += piece;
      into->largest = std::max(into->largest, piece.size());
    }
    into->text += co_await from->read();
  } catch (const failure& f) {
    into->refused = f.error().code();
  }
  if (into->refused.empty()) co_return;
  try {
    (void)co_await from->read();
  } catch (const failure& f) {
    into->again = f.error().code();
  }
}

/// What a handler that streams its body reads of it.
streamed read_streamed(std::string_view body, std::string_view coding, std::size_t piece, std::size_t limit) {
  in_pieces source(body, piece);
  request in;
  response out;
  request_access access(in);
  access.add_header("Content-Encoding", coding);
  access.body_limit(limit);
  access.arriving(&source);
  CHECK(decompression{}.before(in, out) == flow::proceed);
  CHECK_FALSE(in.header("content-encoding"));
  REQUIRE(in.arriving() != &source);
  streamed made;
  boost::asio::io_context context;
  boost::asio::co_spawn(context, read_all(in.arriving(), &made), boost::asio::detached);
  context.run();
  return made;
}

struct service : app {
  service()
      : app([] {
          app_settings settings;
          settings.log = logger();
          settings.server.limits.body_bytes = 100'000;
          return settings;
        }()) {
    use(decompression{});
    post("/", [](const request& in) {
      return std::string(in.body()) + (in.header("content-encoding") ? " (encoded)" : "");
    });
    post("/json", [](body<note> in) { return *in; });
  }
  injected_response send(std::string body, std::string coding, std::string path = "/") {
    return inject(corbel::post(std::move(path))
                      .body(std::move(body), "application/json")
                      .header("Content-Encoding", std::move(coding)));
  }
};

std::string code_of(const injected_response& out) {
  return nlohmann::json::parse(out.body())["code"];
}

}  // namespace

TEST_CASE("an encoded body is decoded before the handler sees it") {
  service s;
  for (const auto f : {coding::format::gzip, coding::format::brotli}) {
    const std::string name(coding::name_of(f));
    CHECK(s.send(encode(f, "hello"), name).body() == "hello");
    CHECK(s.send(encode(f, R"({"text":"x"})"), name, "/json").body() == R"({"text":"x"})");
    CHECK(s.send(encode(f, ""), name).body() == "");
  }
  CHECK(s.send(encode(coding::format::gzip, "hello"), "X-GZip").body() == "hello");
  CHECK(s.send("hello", "identity").body() == "hello (encoded)");
  CHECK(s.send(encode(coding::format::gzip, "hello"), "identity, gzip").body() == "hello");
}

TEST_CASE("what is encoded in an unknown way, or twice, is 415 and told what may be sent") {
  service s;
  const auto once = encode(coding::format::gzip, "x");
  for (const std::string coding : {"zstd", "gzip, gzip", "br, gzip", "gzip, zstd", "gzip;q=1", "compress"}) {
    CAPTURE(coding);
    const auto out = s.send(encode(coding::format::gzip, once), coding);
    CHECK(out.code() == 415);
    CHECK(code_of(out) == "unsupported_encoding");
    CHECK(out.header("Accept-Encoding") == "br, gzip, deflate");
  }
  CHECK(s.inject(corbel::post("/")
                     .body(once, "text/plain")
                     .header("Content-Encoding", "gzip")
                     .header("Content-Encoding", "gzip"))
            .code() == 415);
}

TEST_CASE("broken, unfinished and overlong encodings are 400") {
  service s;
  for (const auto f : {coding::format::gzip, coding::format::brotli}) {
    const std::string name(coding::name_of(f));
    const auto good = encode(f, "hello, hello, hello");
    for (std::size_t cut = 1; cut < good.size(); ++cut) {
      const auto out = s.send(good.substr(0, cut), name);
      CHECK(out.code() == 400);
      CHECK(code_of(out) == "malformed_encoding");
    }
    CHECK(s.send(good + "x", name).code() == 400);
    CHECK(s.send("plain", name).code() == 400);
  }
  CHECK(s.send("plain", "deflate").code() == 400);
}

TEST_CASE("the limit holds for the decoded body, and bombs are stopped by their growth") {
  service s;
  for (const auto f : {coding::format::gzip, coding::format::brotli}) {
    const std::string name(coding::name_of(f));
    std::string text;
    for (int i = 0; text.size() < 100'000; ++i) text += std::to_string(i * i) + ",";
    text.resize(100'000);
    CHECK(s.send(encode(f, text), name).body().size() == 100'000);
    const auto over = s.send(encode(f, text + "x"), name);
    CHECK(over.code() == 413);
    CHECK(code_of(over) == "payload_too_large");
    const auto bomb = s.send(encode(f, std::string(99'999, 'a')), name);
    CHECK(bomb.code() == 413);
    CHECK(code_of(bomb) == "encoding_ratio");
  }
}

TEST_CASE("without the middleware an encoded JSON body is 415, not malformed JSON") {
  app_settings settings;
  settings.log = logger();
  app a(settings);
  a.post("/json", [](body<note> in) { return *in; });
  const auto out = a.inject(post("/json")
                                .body(encode(coding::format::gzip, R"({"text":"x"})"), "application/json")
                                .header("Content-Encoding", "gzip"));
  CHECK(out.code() == 415);
  CHECK(code_of(out) == "unsupported_encoding");
  CHECK(a.inject(post("/json").json(R"({"text":"x"})").header("Content-Encoding", "identity")).code() == 200);
  for (const bool typed : {false, true}) {
    auto empty = post("/json").header("Content-Encoding", "gzip");
    if (typed)
      empty = post("/json").header("Content-Encoding", "gzip").header("Content-Type", "application/json");
    const auto refused = a.inject(empty);
    CHECK(refused.code() == 400);
    CHECK(refused.body().find("Content-Encoding") == std::string::npos);
  }
}

TEST_CASE("a streamed body is decoded while it arrives, however it is cut") {
  std::string text;
  for (int i = 0; text.size() < 3000; ++i) text += std::to_string(i * i) + ",";
  for (const auto f : {coding::format::gzip, coding::format::brotli}) {
    const auto encoded = encode(f, text);
    for (std::size_t piece = 1; piece <= encoded.size() + 1; piece += piece < 20 ? 1 : 97) {
      const auto got = read_streamed(encoded, coding::name_of(f), piece, 1 << 20);
      CHECK((got.text == text));
      CHECK(got.refused.empty());
    }
    const auto nothing = read_streamed("", coding::name_of(f), 7, 1 << 20);
    CHECK(nothing.text.empty());
    CHECK(nothing.refused.empty());
    CHECK(read_streamed(encoded.substr(0, encoded.size() - 1), coding::name_of(f), 7, 1 << 20).refused ==
          "malformed_encoding");
    for (const std::size_t piece : {1u, 10'000u}) {
      const auto over = read_streamed(encoded + "x", coding::name_of(f), piece, 1 << 20);
      CHECK(over.refused == "malformed_encoding");
      CHECK(over.again == "malformed_encoding");
    }
    CHECK(read_streamed(encoded, coding::name_of(f), 50, text.size()).refused.empty());
    const auto large = read_streamed(encoded, coding::name_of(f), 50, text.size() - 1);
    CHECK(large.refused == "payload_too_large");
    CHECK(large.again == "payload_too_large");
  }
}

TEST_CASE("a streamed bomb never fills more than a piece of memory") {
  const auto bomb = encode(coding::format::gzip, std::string(10 << 20, '\0'));
  REQUIRE(bomb.size() < 11'000);
  const auto steep = read_streamed(bomb, "gzip", bomb.size(), 1 << 30);
  CHECK(steep.refused == "encoding_ratio");
  CHECK(steep.text.size() <= 200 * bomb.size());
  CHECK(steep.largest <= 64 * 1024);
  CHECK(read_streamed(bomb, "gzip", 100, 1 << 20).text.size() <= 1 << 20);
}
