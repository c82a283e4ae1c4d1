#include <doctest/doctest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include "corbel/http/date.hpp"
#include "corbel/middleware/compression.hpp"
#include "files/disposition.hpp"
#include "files/folder.hpp"

using namespace corbel;

namespace {

injected_request head(std::string path) {
  return {"HEAD", std::move(path)};
}

struct site : test_folder, app {
  explicit site(file_settings settings = {}) : app(quiet()) {
    serve_files(routes(), "/s", text(), std::move(settings));
  }
};

std::string field(const injected_response& out, std::string_view name) {
  return std::string(out.header(name).value_or("(none)"));
}

}  // namespace

TEST_CASE("a file comes with its type, its validators and its length") {
  site s;
  s.write("a.html", "<p>hello");
  s.write("empty.txt", "");
  const auto out = s.inject(get("/s/a.html"));
  CHECK(out.code() == 200);
  CHECK(out.body() == "<p>hello");
  CHECK(field(out, "Content-Type") == "text/html; charset=utf-8");
  CHECK(field(out, "Accept-Ranges") == "bytes");
  CHECK(field(out, "Cache-Control") == "public, max-age=0, must-revalidate");
  CHECK(field(out, "Vary") == "Accept-Encoding");
  CHECK(field(out, "ETag").front() == '"');
  CHECK(parse_http_date(field(out, "Last-Modified"), timestamp{}));
  const auto only_head = s.inject(head("/s/a.html"));
  CHECK(only_head.header_text() == out.header_text());
  CHECK(only_head.body().empty());
  REQUIRE(only_head.streams());
  CHECK(only_head.streams()->length == 8);
  CHECK(s.inject(get("/s/empty.txt")).body() == "");
  CHECK(s.inject(get("/s/empty.txt")).code() == 200);
  CHECK(s.inject(post("/s/a.html")).code() == 405);
  s.write("fresh.txt", "just now", std::chrono::seconds(0));
  CHECK(field(s.inject(get("/s/fresh.txt")), "ETag").substr(0, 3) == "W/\"");
}

TEST_CASE("types go by the extension") {
  file_settings settings;
  settings.types = {{"glb", "model/x-mine"}, {"xyz", "chemical/x-xyz"}};
  site s(settings);
  for (const auto& [name, type] : std::vector<std::pair<std::string, std::string>>{
           {"a.CSS", "text/css; charset=utf-8"},
           {"a.min.js", "text/javascript; charset=utf-8"},
           {"a.json", "application/json"},
           {"a.svg", "image/svg+xml"},
           {"a.woff2", "font/woff2"},
           {"a.tar.gz", "application/gzip"},
           {"a.webmanifest", "application/manifest+json"},
           {"a.glb", "model/x-mine"},
           {"a.XYZ", "chemical/x-xyz"},
           {"noext", "application/octet-stream"},
           {"a.", "application/octet-stream"},
           {"a.averyveryverylongone", "application/octet-stream"},
           {"dir.html/noext", "application/octet-stream"}}) {
    s.write(name, "x");
    CAPTURE(name);
    CHECK(field(s.inject(get("/s/" + name)), "Content-Type") == type);
  }
}

TEST_CASE("a client's copy that is still good is not sent again") {
  site s;
  s.write("a.txt", "one");
  const auto first = s.inject(get("/s/a.txt"));
  const auto tag = field(first, "ETag"), date = field(first, "Last-Modified");
  const auto code = [&](std::string name, std::string value) {
    return s.inject(get("/s/a.txt").header(std::move(name), std::move(value))).code();
  };
  CHECK(code("If-None-Match", tag) == 304);
  CHECK(code("If-None-Match", "W/" + tag) == 304);
  CHECK(code("If-None-Match", "\"x\", " + tag) == 304);
  CHECK(code("If-None-Match", "*") == 304);
  CHECK(code("If-None-Match", "\"x\"") == 200);
  CHECK(code("If-Modified-Since", date) == 304);
  CHECK(code("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT") == 200);
  CHECK(code("If-Modified-Since", "yesterday") == 200);
  CHECK(code("If-Match", tag) == 200);
  CHECK(code("If-Match", "\"x\"") == 412);
  CHECK(code("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT") == 412);
  CHECK(code("If-Unmodified-Since", date) == 200);
  const auto again = s.inject(get("/s/a.txt").header("If-None-Match", tag));
  CHECK(again.body().empty());
  CHECK_FALSE(again.streams());
  CHECK(field(again, "ETag") == tag);
  CHECK(field(again, "Last-Modified") == date);
  CHECK(field(again, "Cache-Control") == "public, max-age=0, must-revalidate");
  CHECK(field(again, "Vary") == "Accept-Encoding");
  CHECK(field(again, "Content-Type") == "(none)");
  s.write("a.txt", "two", std::chrono::minutes(10));
  CHECK(code("If-None-Match", tag) == 200);
  CHECK(code("If-Modified-Since", date) == 200);
}

TEST_CASE("the tag of changed also tells a replaced file of the same size and time") {
  for (const auto how : {file_settings::tag::modified, file_settings::tag::changed}) {
    file_settings settings;
    settings.etag = how;
    site s(settings);
    s.write("a.txt", "one");
    const auto tag = field(s.inject(get("/s/a.txt")), "ETag");
    struct stat facts {};
    REQUIRE(::stat(s.at("a.txt").c_str(), &facts) == 0);
    s.write("b.txt", "two");
    const timespec times[2] = {facts.st_atim, facts.st_mtim};
    ::utimensat(AT_FDCWD, s.at("b.txt").c_str(), times, 0);
    std::filesystem::rename(s.at("b.txt"), s.at("a.txt"));
    CHECK((field(s.inject(get("/s/a.txt")), "ETag") == tag) == (how == file_settings::tag::modified));
  }
}

TEST_CASE("ranges, single and several, of small files and large") {
  file_settings settings;
  settings.piece_bytes = 1000;
  site s(settings);
  const auto content = numbered(10'000);
  s.write("a.txt", content);
  const auto ask = [&](std::string range) {
    return s.inject(get("/s/a.txt").header("Range", std::move(range)));
  };
  struct row {
    std::string range;
    std::size_t from, size;
    std::string content_range;
  };
  for (const auto& [range, from, size, says] :
       std::vector<row>{{"bytes=0-499", 0, 500, "bytes 0-499/10000"},
                        {"bytes=500-999", 500, 500, "bytes 500-999/10000"},
                        {"bytes=-500", 9500, 500, "bytes 9500-9999/10000"},
                        {"bytes=9500-", 9500, 500, "bytes 9500-9999/10000"},
                        {"bytes=0-0", 0, 1, "bytes 0-0/10000"},
                        {"bytes=-20000", 0, 10000, "bytes 0-9999/10000"},
                        {"bytes=0-", 0, 10000, "bytes 0-9999/10000"},
                        {"bytes=9999-20000", 9999, 1, "bytes 9999-9999/10000"}}) {
    CAPTURE(range);
    const auto out = ask(range);
    CHECK(out.code() == 206);
    CHECK((out.body() == content.substr(from, size)));
    CHECK(field(out, "Content-Range") == says);
    CHECK(field(out, "Content-Type") == "text/plain; charset=utf-8");
  }
  for (const std::string bad : {"bytes=5-4", "bytes=x", "lines=0-1", "bytes", "bytes=0-1,x"})
    CHECK(ask(bad).code() == 200);
  const auto none = ask("bytes=10000-");
  CHECK(none.code() == 416);
  CHECK(field(none, "Content-Range") == "bytes */10000");

  const auto parts = ask("bytes=0-9,5000-5009,-10");
  CHECK(parts.code() == 206);
  const auto type = field(parts, "Content-Type");
  REQUIRE(type.substr(0, 31) == "multipart/byteranges; boundary=");
  const auto boundary = type.substr(31);
  std::string wanted;
  for (const auto& [from, says] :
       std::vector<std::pair<std::size_t, std::string>>{{0, "0-9"}, {5000, "5000-5009"}, {9990, "9990-9999"}})
    wanted += (wanted.empty() ? "--" : "\r\n--") + boundary +
              "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes " + says +
              "/10000\r\n\r\n" + content.substr(from, 10);
  CHECK(parts.body() == wanted + "\r\n--" + boundary + "--\r\n");
  CHECK(parts.streams()->length == parts.body().size());
  CHECK(field(parts, "Content-Range") == "(none)");

  const auto tag = field(ask("bytes=0-1"), "ETag");
  CHECK(s.inject(get("/s/a.txt").header("Range", "bytes=0-1").header("If-Range", tag)).code() == 206);
  CHECK(s.inject(get("/s/a.txt").header("Range", "bytes=0-1").header("If-Range", "\"old\"")).code() == 200);
  CHECK(s.inject(get("/s/a.txt").header("Range", "bytes=0-1").header("If-None-Match", tag)).code() == 304);
  CHECK(s.inject(head("/s/a.txt").header("Range", "bytes=0-1")).code() == 200);
}

TEST_CASE("random ranges are what a slice of the content is") {
  file_settings settings;
  settings.piece_bytes = 777;
  site s(settings);
  const auto content = numbered(5000);
  s.write("a.bin", content);
  std::mt19937 random(31);
  for (int i = 0; i < 1000; ++i) {
    const auto first = random() % 6000, last = first + random() % (random() % 2 ? 100 : 6000);
    const auto out = s.inject(
        get("/s/a.bin").header("Range", "bytes=" + std::to_string(first) + "-" + std::to_string(last)));
    CAPTURE(first);
    CAPTURE(last);
    if (first >= content.size()) {
      CHECK(out.code() == 416);
    } else {
      CHECK(out.code() == 206);
      CHECK((out.body() == content.substr(first, last - first + 1)));
    }
  }
}

TEST_CASE("a file beside it that is compressed already is sent to who takes it") {
  site s;
  s.write("a.js", "plain");
  s.write("a.js.br", "brotli");
  s.write("a.js.gz", "gzipped");
  s.write("b.js", "plain");
  s.write("b.js.gz", "gzipped");
  s.write("p.png", "picture");
  s.write("p.png.gz", "gzipped");
  const auto ask = [&](std::string path, std::string accept) {
    const auto out = s.inject(get("/s/" + path).header("Accept-Encoding", std::move(accept)));
    return out.body() + " " + field(out, "Content-Encoding") + " " + field(out, "Vary");
  };
  CHECK(ask("a.js", "gzip, br") == "brotli br Accept-Encoding");
  CHECK(ask("a.js", "gzip") == "gzipped gzip Accept-Encoding");
  CHECK(ask("a.js", "br;q=0.1, gzip") == "gzipped gzip Accept-Encoding");
  CHECK(ask("a.js", "identity") == "plain (none) Accept-Encoding");
  CHECK(ask("b.js", "gzip, br") == "gzipped gzip Accept-Encoding");
  CHECK(ask("b.js", "br") == "plain (none) Accept-Encoding");
  CHECK(ask("p.png", "gzip") == "picture (none) (none)");
  const auto variant = s.inject(get("/s/a.js").header("Accept-Encoding", "br"));
  CHECK(field(variant, "Content-Type") == "text/javascript; charset=utf-8");
  CHECK(field(variant, "ETag") != field(s.inject(get("/s/a.js")), "ETag"));
  CHECK(s.inject(get("/s/a.js").header("Accept-Encoding", "br").header("Range", "bytes=0-2")).body() ==
        "bro");
}

TEST_CASE("compression compresses what has no file of its own, cookies or not, and never a range") {
  test_folder folder;
  folder.write("a.css", numbered(3000));
  app a(quiet());
  a.use(compression{});
  serve_files(a.routes(), "", folder.text());
  const auto out = a.inject(get("/a.css").header("Accept-Encoding", "gzip").header("Cookie", "id=1"));
  CHECK(field(out, "Content-Encoding") == "gzip");
  CHECK(field(out, "ETag").substr(0, 3) == "W/\"");
  CHECK(field(out, "Vary") == "Accept-Encoding");
  const auto again =
      a.inject(get("/a.css").header("Accept-Encoding", "gzip").header("If-None-Match", field(out, "ETag")));
  CHECK(again.code() == 304);
  CHECK(field(again, "ETag") == field(out, "ETag"));
  const auto part = a.inject(get("/a.css").header("Accept-Encoding", "gzip").header("Range", "bytes=0-2000"));
  CHECK(part.code() == 206);
  CHECK(part.body() == numbered(3000).substr(0, 2001));
}

TEST_CASE("a folder is its index, behind a slash") {
  file_settings settings;
  settings.fallback = "app.html";
  site s(settings);
  s.write("index.html", "root");
  s.write("docs/index.html", "docs");
  s.write("bare/file.txt", "x");
  s.write("app.html", "the app");
  CHECK(s.inject(get("/s/")).body() == "root");
  CHECK(s.inject(get("/s/docs/")).body() == "docs");
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"/s", "/s/"},
                                                        {"/s?x=1", "/s/?x=1"},
                                                        {"/s/docs", "/s/docs/"},
                                                        {"/s/docs?x=1&y", "/s/docs/?x=1&y"}}) {
    const auto out = s.inject(get(from));
    CHECK(out.code() == 308);
    CHECK(field(out, "Location") == to);
  }
  const auto app_page = s.inject(get("/s/users/7"));
  CHECK(app_page.body() == "the app");
  CHECK(field(app_page, "Cache-Control") == "no-cache");
  CHECK(field(app_page, "Content-Type") == "text/html; charset=utf-8");
  CHECK(s.inject(get("/s/bare/")).body() == "the app");
  CHECK(s.inject(get("/s/missing.js")).code() == 404);
  CHECK(s.inject(get("/s/.git/")).code() == 404);
  CHECK(s.inject(get("//evil.example/..")).code() == 404);

  file_settings no_index;
  no_index.index.clear();
  site bare(no_index);
  bare.write("index.html", "root");
  bare.write("docs/index.html", "docs");
  CHECK(bare.inject(get("/s/")).code() == 404);
  CHECK(bare.inject(get("/s/docs")).code() == 404);
  CHECK(bare.inject(get("/s/docs/index.html")).code() == 200);
}

TEST_CASE("a redirect never names another host") {
  test_folder folder;
  folder.write("evil.example/index.html", "x");
  app a(quiet());
  serve_files(a.routes(), "", folder.text());
  for (const std::string path :
       {"//evil.example", "/%2fevil.example", "/%5cevil.example", "/\\evil.example"}) {
    CAPTURE(path);
    CHECK(a.inject(get(path)).code() >= 400);
  }
  CHECK(field(a.inject(get("/evil.example")), "Location") == "/evil.example/");
}

namespace {

task<response> invoice(request& in, path<std::string, "name"> name, state<file_folder> invoices) {
  file_options options;
  options.download_as = "Rechnung Nr. \"7\" für Zoë.pdf";
  options.cache_control = "private, no-store";
  co_return co_await invoices->reply(in, *name, std::move(options));
}

}  // namespace

TEST_CASE("a handler sends a file to be kept under another name") {
  test_folder folder;
  folder.write("7.pdf", numbered(2000));
  app a(quiet());
  file_folder invoices(folder.text());
  a.provide(invoices);
  a.get("/invoices/:name", &invoice);
  const auto out = a.inject(get("/invoices/7.pdf").header("Range", "bytes=10-19"));
  CHECK(out.code() == 206);
  CHECK(out.body() == numbered(2000).substr(10, 10));
  CHECK(field(out, "Cache-Control") == "private, no-store");
  CHECK(field(out, "Content-Disposition") ==
        "attachment; filename=\"Rechnung Nr. _7_ f_r Zo_.pdf\"; "
        "filename*=UTF-8''Rechnung%20Nr.%20%227%22%20f%C3%BCr%20Zo%C3%AB.pdf");
  CHECK(a.inject(get("/invoices/8.pdf")).code() == 404);
  CHECK(a.inject(get("/invoices/..%2f7.pdf")).code() == 404);
  CHECK(file_access::attachment("a.txt") == "attachment; filename=\"a.txt\"");
  CHECK(file_access::attachment("../etc/a\r\nb.txt") == "attachment; filename=\"ab.txt\"");
  CHECK(file_access::attachment("C:\\x\\a;b.txt") == "attachment; filename=\"a;b.txt\"");
  CHECK(file_access::attachment("/") == "attachment");
}

namespace {

/// Does something to the file once the first piece is out.
struct meddling_sink final : body_sink {
  std::function<void()> meddle;
  std::string got;
  task<> write(std::string_view bytes) override {
    got += bytes;
    if (meddle) std::exchange(meddle, {})();
    co_return;
  }
};

/// What arrived, and whether the producer gave up.
std::pair<std::string, bool> send(test_folder& folder, const std::string& name,
                                  std::function<void()> meddle) {
  app a(quiet());
  file_settings settings;
  settings.piece_bytes = 1000;
  serve_files(a.routes(), "", folder.text(), settings);
  meddling_sink sink;
  sink.meddle = std::move(meddle);
  bool failed = false;
  struct tap {
    meddling_sink* to;
    bool* failed;
    void after(const request&, response& out) const {
      const auto inner = *out.streams();
      out.replace_stream({[inner, into = to, gave_up = failed](body_sink&) -> task<> {
                            try {
                              co_await inner.produce(*into);
                            } catch (const failure&) {
                              *gave_up = true;
                            }
                          },
                          {},
                          false});
    }
  };
  a.use(tap{&sink, &failed});
  (void)a.inject(get("/" + name));
  return {sink.got, failed};
}

}  // namespace

TEST_CASE("a file that changes while it is sent is cut off, never mixed") {
  test_folder folder;
  const auto content = numbered(10'500);
  const auto fresh = [&] { folder.write("a.bin", content); };
  fresh();
  CHECK((send(folder, "a.bin", {}) == std::pair(content, false)));
  fresh();
  const auto shrunk = send(folder, "a.bin", [&] { std::filesystem::resize_file(folder.at("a.bin"), 5000); });
  CHECK(shrunk.second);
  CHECK(shrunk.first == content.substr(0, 1000));
  fresh();
  const auto overwritten =
      send(folder, "a.bin", [&] { std::ofstream(folder.at("a.bin")) << std::string(10'500, 'x'); });
  CHECK(overwritten.second);
  CHECK(overwritten.first == content.substr(0, 1000));
  // Who replaces a file by renaming harms nobody: the old one stays readable to its end.
  fresh();
  folder.write("new.bin", std::string(10'500, 'x'));
  CHECK((send(folder, "a.bin", [&] { std::filesystem::rename(folder.at("new.bin"), folder.at("a.bin")); }) ==
         std::pair(content, false)));
  fresh();
  CHECK((send(folder, "a.bin", [&] { std::filesystem::remove(folder.at("a.bin")); }) ==
         std::pair(content, false)));
}
