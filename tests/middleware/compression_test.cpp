#include "corbel/middleware/compression.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "corbel/app/app.hpp"
#include "corbel/middleware/etag.hpp"
#include "corbel/routing/conditional.hpp"
#include "http/coding/coding.hpp"

using namespace corbel;

namespace {

app_settings quiet() {
  app_settings settings;
  settings.log = logger();
  settings.default_middleware = false;
  return settings;
}

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  text.resize(size);
  return text;
}

std::string decode(std::string_view coding, std::string_view body) {
  coding::decoder decoder(coding::format_named(coding).value());
  std::string out;
  CHECK(decoder.take(body, out, std::size_t{1} << 24) == coding::decoded::ended);
  return out;
}

injected_request ask(std::string accept = "gzip", std::string path = "/") {
  return get(std::move(path)).header("Accept-Encoding", std::move(accept));
}

/// An app whose "/" answers with what `make` makes.
template <class F>
injected_response answer(F make, injected_request request, compression_settings settings = {}) {
  app a(quiet());
  a.use(compression(std::move(settings)));
  a.get("/", std::move(make));
  return a.inject(std::move(request));
}

response text_reply(std::size_t size = 5000) {
  return text_response(text_of(size));
}

}  // namespace

TEST_CASE("the coding is the one that the client likes best, brotli of equal ones") {
  struct row {
    std::string accept;
    std::string chosen;  // empty: as it is
  };
  for (const auto& [accept, chosen] : std::vector<row>{{"gzip", "gzip"},
                                                       {"br", "br"},
                                                       {"gzip, br", "br"},
                                                       {"gzip, deflate, br, zstd", "br"},
                                                       {"gzip;q=1, br;q=0.5", "gzip"},
                                                       {"br;q=0, gzip;q=0.1, identity;q=0", "gzip"},
                                                       {"*", "br"},
                                                       {"br;q=0, *", "gzip"},
                                                       {"deflate", ""},
                                                       {"identity", ""},
                                                       {"gzip;q=0", ""},
                                                       {"", ""}}) {
    CAPTURE(accept);
    const auto out = answer([] { return text_reply(); }, ask(accept));
    CHECK(out.code() == 200);
    CHECK(out.header("Vary") == "Accept-Encoding");
    CHECK(out.header("Content-Encoding").value_or("") == chosen);
    CHECK((chosen.empty() ? out.body() : decode(chosen, out.body())) == text_of(5000));
    if (!chosen.empty()) CHECK(out.body().size() < 2500);
  }
  CHECK_FALSE(answer([] { return text_reply(); }, get("/")).header("Content-Encoding"));
}

TEST_CASE("what must not be compressed is not") {
  const auto plain = [](auto make, injected_request request = ask(), compression_settings settings = {}) {
    const auto out = answer(make, std::move(request), std::move(settings));
    return !out.header("Content-Encoding");
  };
  const auto with = [](std::string name, std::string value, status s = status::ok) {
    return [=] {
      auto out = text_reply();
      out.status(s);
      out.set(name, value);
      return out;
    };
  };
  CHECK_FALSE(plain([] { return text_reply(); }));
  CHECK(plain([] { return text_reply(1023); }));
  CHECK_FALSE(plain([] { return text_reply(1024); }));
  CHECK_FALSE(plain([] { return text_reply(1023); }, ask("gzip, identity;q=0")));
  CHECK(plain(with("Cache-Control", "max-age=5, no-transform")));
  CHECK(plain(with("Content-Type", "image/png")));
  CHECK(plain(with("Content-Range", "bytes 0-4999/9000", static_cast<status>(206))));
  CHECK(plain(with("X-Any", "1", status::no_content)));
  CHECK(plain([] { return text_reply(); }, ask(), {.compressible = [](std::string_view) { return false; }}));
  CHECK_FALSE(plain(with("X-Any", "1", status::not_found)));

  const auto encoded = answer(with("Content-Encoding", "zstd"), ask());
  CHECK(encoded.header("Content-Encoding") == "zstd");
  CHECK(encoded.body() == text_of(5000));
  CHECK_FALSE(answer([] { return response(); }, ask()).header("Vary"));
  // Noise does not grow smaller: it goes as it is.
  CHECK(plain([] {
    std::string noise;
    for (std::uint32_t i = 0, x = 1; i < 3000; ++i, x = x * 1664525 + 1013904223) noise += char(x >> 24);
    return text_response(noise);
  }));
}

TEST_CASE("replies that may bear secrets go as they are, unless somebody says otherwise") {
  const auto coded = [](auto make, injected_request request, bool even = false) {
    return answer(make, std::move(request), {.even_with_credentials = even})
        .header("Content-Encoding")
        .has_value();
  };
  const auto sets_cookie = [] {
    auto out = text_reply();
    out.set("Cache-Control", "public").add("Set-Cookie", "id=1");
    return out;
  };
  const auto is_public = [] {
    auto out = text_reply();
    out.set("Cache-Control", "public, max-age=60");
    return out;
  };
  for (const auto* name : {"Cookie", "Authorization"}) {
    CHECK_FALSE(coded([] { return text_reply(); }, ask().header(name, "a=b")));
    CHECK(coded(is_public, ask().header(name, "a=b")));
    CHECK(coded([] { return text_reply(); }, ask().header(name, "a=b"), true));
  }
  CHECK_FALSE(coded(sets_cookie, ask()));
  CHECK(coded(sets_cookie, ask(), true));
  CHECK(answer([] { return text_reply(); }, ask().header("Cookie", "a=b")).header("Vary") ==
        "Accept-Encoding");
}

TEST_CASE("a client that takes gzip can name the state that it has") {
  app a(quiet());
  a.use(compression{});
  int version = 7;
  a.get("/", [&] { return with_etag(std::string(4000, 'x'), version); });
  a.get("/weak", [&] { return with_etag(std::string(4000, 'x'), entity_tag::weak("w")); });
  a.put("/", [&](preconditions when) -> result<void> {
    if (auto ok = when.require(entity_tag::of_version(version)); !ok) return std::move(ok).error();
    ++version;
    return {};
  });
  a.put("/weak", [&](preconditions when) { return when.require(entity_tag::weak("w")); });
  const auto gzip = [](injected_request asked) { return std::move(asked).header("Accept-Encoding", "gzip"); };
  const std::string tag(a.inject(gzip(get("/"))).header("ETag").value());
  CHECK(tag == "W/\"v7\"");
  const auto again = a.inject(gzip(get("/")).header("If-None-Match", tag));
  CHECK(again.code() == 304);
  CHECK(again.header("ETag") == tag);
  CHECK(a.inject(gzip(get("/")).header("If-None-Match", "\"v1\", W/\"v7\"")).header("ETag") == tag);
  // The copy that a client has uncompressed keeps its strong tag.
  CHECK(a.inject(get("/").header("If-None-Match", "\"v7\"")).header("ETag") == "\"v7\"");
  CHECK(a.inject(get("/").header("If-None-Match", "\"v7\", W/\"v70\"")).header("ETag") == "\"v7\"");

  CHECK(a.inject(gzip(put("/")).header("If-Match", "W/\"v6\"")).code() == 412);
  CHECK(a.inject(gzip(put("/")).header("If-Match", "W/v7")).code() == 412);
  CHECK(a.inject(gzip(put("/"))).code() == 428);
  CHECK(a.inject(gzip(put("/")).header("If-Match", tag)).code() == 204);
  CHECK(a.inject(gzip(put("/")).header("If-Match", tag)).code() == 412);
  CHECK(a.inject(put("/").header("If-Match", "\"W/\"").header("If-Match", "W/\"v6\", W/\"v8\"")).code() ==
        204);
  CHECK(a.inject(put("/").header("If-Match", "\"v9\"")).code() == 204);
  CHECK(a.inject(put("/").header("If-Match", "*")).code() == 204);
  // What its author calls weak stays so.
  CHECK(a.inject(put("/weak").header("If-Match", "W/\"w\"")).code() == 412);
}

TEST_CASE("the headers say what the body has become") {
  const auto make = [] {
    auto out = text_reply();
    out.set("ETag", "\"v1\"").set("Accept-Ranges", "bytes").set("Vary", "Origin");
    return out;
  };
  const auto out = answer(make, ask());
  CHECK(out.header("ETag") == "W/\"v1\"");
  CHECK_FALSE(out.header("Accept-Ranges"));
  CHECK(out.header("Vary") == "Origin, Accept-Encoding");
  CHECK(out.header("Content-Type") == "text/plain; charset=utf-8");
  const auto plain = answer(make, get("/"));
  CHECK(plain.header("ETag") == "\"v1\"");
  CHECK(plain.header("Accept-Ranges") == "bytes");
  // The inner one compresses, the outer one leaves it.
  app twice(quiet());
  twice.use(compression{}).use(compression{});
  twice.get("/", [] { return text_reply(); });
  const auto once = twice.inject(ask());
  CHECK(decode("gzip", once.body()) == text_of(5000));
}

TEST_CASE("a large body is compressed while it is sent, and a streamed one as it is produced") {
  const auto large = answer([] { return text_reply(3'000'000); }, ask("br"));
  CHECK(decode("br", large.body()) == text_of(3'000'000));
  const auto streamed = answer(
      [] {
        response out;
        out.stream("application/json", {[](body_sink& to) -> task<> {
                                          co_await to.write("[");
                                          for (int i = 0; i < 100; ++i) {
                                            const auto piece = text_of(2000);
                                            co_await to.write(piece);
                                          }
                                          co_await to.write("]");
                                        },
                                        200'002, false});
        return out;
      },
      ask());
  std::string wanted = "[";
  for (int i = 0; i < 100; ++i) wanted += text_of(2000);
  CHECK(streamed.header("Content-Encoding") == "gzip");
  CHECK(decode("gzip", streamed.body()) == wanted + "]");
  // Its length is known, and too small to be worth it.
  const auto tiny = answer(
      [] {
        response out;
        out.stream("text/plain", {[](body_sink& to) { return to.write("tiny"); }, 4, false});
        return out;
      },
      ask());
  CHECK(tiny.body() == "tiny");
}

namespace {

/// Notes after each write what a client could read by then.
struct watching_sink final : body_sink {
  explicit watching_sink(coding::format f) : decoder(f) {}
  task<> write(std::string_view bytes) override {
    (void)decoder.take(bytes, read, 1 << 20);
    co_return;
  }
  task<> flush() override {
    ++flushes;
    co_return;
  }
  coding::decoder decoder;
  std::string read;
  int flushes = 0;
};

}  // namespace

TEST_CASE("each event reaches the client when it is written, other streams when they say so") {
  for (const bool events : {true, false}) {
    watching_sink client(coding::format::gzip);
    std::vector<std::string> seen;
    app a(quiet());
    // The outer layer takes the compressed stream and lets it write to the watching sink.
    struct tap {
      watching_sink* to;
      void after(const request&, response& out) const {
        const auto inner = *out.streams();
        out.replace_stream({[inner, into = to](body_sink&) { return inner.produce(*into); }, {}, false});
      }
    };
    a.use(tap{&client}).use(compression{});
    a.get("/", [&] {
      response out;
      out.stream(events ? "text/event-stream" : "application/x-ndjson",
                 {[&](body_sink& to) -> task<> {
                    for (int i = 0; i < 3; ++i) {
                      co_await to.write("data: " + std::to_string(i) + "\n\n");
                      seen.push_back(client.read);
                    }
                    co_await to.flush();
                    seen.push_back(client.read);
                  },
                  {},
                  false});
      return out;
    });
    (void)a.inject(ask());
    const std::string all = "data: 0\n\ndata: 1\n\ndata: 2\n\n";
    CHECK(seen == (events ? std::vector<std::string>{all.substr(0, 9), all.substr(0, 18), all, all}
                          : std::vector<std::string>{"", "", "", all}));
    CHECK(client.flushes == (events ? 4 : 1));
  }
}

TEST_CASE("HEAD tells what GET would") {
  app a(quiet());
  a.use(compression{});
  a.get("/", [] { return text_reply(); });
  const auto whole = a.inject(ask());
  const auto head = a.inject(injected_request("HEAD", "/").header("Accept-Encoding", "gzip"));
  CHECK(head.header_text() == whole.header_text());
  CHECK(head.body().size() == whole.body().size());  // the server sends its length alone
}

TEST_CASE("an automatic tag and compression go together in either order") {
  for (const bool tag_inside : {true, false}) {
    app a(quiet());
    if (tag_inside)
      a.use(compression{}).use(etag{});
    else
      a.use(etag{}).use(compression{});
    a.get("/", [] {
      auto out = text_reply();
      out.set("Cache-Control", "max-age=0");
      return out;
    });
    const auto first = a.inject(ask());
    CHECK(decode("gzip", first.body()) == text_of(5000));
    const std::string tag(first.header("ETag").value());
    CHECK(tag.substr(0, 3) == "W/\"");
    CHECK((a.inject(get("/")).header("ETag") == tag) == tag_inside);
    const auto again = a.inject(ask().header("If-None-Match", tag));
    CHECK(again.code() == 304);
    CHECK(again.body().empty());
    CHECK(again.header("ETag") == tag);
    CHECK(again.header("Vary") == "Accept-Encoding");
    CHECK(again.header("Cache-Control") == "max-age=0");
    CHECK_FALSE(again.header("Content-Encoding"));
    CHECK_FALSE(again.header("Content-Type"));
    CHECK(a.inject(ask().header("If-None-Match", "\"other\"")).code() == 200);
  }
}

TEST_CASE("automatic tags are for whole bodies of a 200 to GET and HEAD, and leave a handler's own") {
  app a(quiet());
  a.use(etag{});
  std::string text = "one";
  a.get("/", [&] { return text; });
  a.post("/", [] { return std::string("made"); });
  a.get("/own", [] {
    auto out = text_response("x");
    out.set("ETag", "\"mine\"");
    return out;
  });
  a.get("/streamed", [] {
    response out;
    out.stream("text/plain", {[](body_sink& to) { return to.write("x"); }, {}, false});
    return out;
  });
  a.get("/refused", []() -> result<std::string> { return not_found("no"); });
  const std::string one(a.inject(get("/")).header("ETag").value());
  CHECK(a.inject(get("/")).header("ETag") == one);
  CHECK(a.inject(injected_request("HEAD", "/")).header("ETag") == one);
  CHECK(a.inject(injected_request("HEAD", "/").header("If-None-Match", one)).code() == 304);
  text = "two";
  CHECK(a.inject(get("/")).header("ETag") != one);
  CHECK(a.inject(get("/").header("If-None-Match", one)).body() == "two");
  CHECK(a.inject(get("/").header("If-None-Match", "*")).code() == 304);
  CHECK(a.inject(get("/own").header("If-None-Match", "W/\"mine\"")).code() == 304);
  CHECK(a.inject(get("/own")).header("ETag") == "\"mine\"");
  for (auto& request : {post("/"), get("/streamed"), get("/refused"), get("/missing")})
    CHECK_FALSE(a.inject(request).header("ETag"));
}

TEST_CASE("settings out of their range stop the start") {
  const auto refused = [](compression_settings settings) {
    app a(quiet());
    a.use(compression(std::move(settings)));
    CHECK_THROWS_AS(a.inject(get("/")), wiring_error);
  };
  refused({.gzip_level = 10});
  refused({.brotli_quality = -1});
  refused({.gzip_level = 0, .brotli_quality = 0});
  refused({.compressible = {}});
}
