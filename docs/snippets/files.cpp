#include <doctest/doctest.h>
#include <corbel/corbel.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace {

// region: download
corbel::task<corbel::response> invoice(corbel::request& in, corbel::path<int, "id"> id,
                                       corbel::state<corbel::file_folder> invoices) {
  const auto file = std::to_string(*id) + ".pdf";
  co_return co_await invoices->reply(
      in, file, corbel::file_options().download("Invoice " + file).cache("private, no-store"));
}
// end: download

struct article {
  std::string text;
};
constexpr auto describe(corbel::tag<article>) {
  using namespace corbel::rules;
  return object(field("text", &article::text, text()));
}

struct temporary {
  std::filesystem::path root = std::filesystem::temp_directory_path() / "corbel-docs-files";
  temporary() {
    for (const auto* name : {"assets/app.3f9a.js", "pages/index.html", "invoices/7.pdf"}) {
      std::filesystem::create_directories((root / name).parent_path());
      std::ofstream(root / name) << "content";
    }
  }
  ~temporary() { std::filesystem::remove_all(root); }
};

}  // namespace

TEST_CASE("the files page does what it says") {
  const temporary folder;
  const auto assets = (folder.root / "assets").string(), pages = (folder.root / "pages").string();
  corbel::file_folder invoices((folder.root / "invoices").string());
  corbel::app server;
  // region: serve
  corbel::file_settings hashed;  // a bundler's names change with the content
  hashed.cache_control = "public, max-age=31536000, immutable";
  serve_files(server.routes(), "/assets", assets, hashed);

  corbel::file_settings site;
  site.fallback = "index.html";  // a single-page application: its paths are no files
  serve_files(server.routes(), "", pages, site);
  // end: serve
  server.provide(invoices);
  server.get("/invoices/:id", &invoice);
  // region: compression
  server.use(corbel::compression{});  // outside of what makes or tags bodies
  server.use(corbel::etag{});
  auto api = server.group("/api");
  api.use(corbel::decompression{});
  api.post("/articles", [](corbel::body<article> in) { return *in; });
  // end: compression
  // region: credentials
  corbel::compression_settings always;
  always.even_with_credentials = true;  // a list of articles holds no secret and repeats no input
  api.get("/articles", [] { return std::vector<article>(100); }).use(corbel::compression(always));
  // end: credentials

  const auto get = [&](std::string path) {
    return server.inject(
        corbel::get(std::move(path)).header("Accept-Encoding", "br").header("Cookie", "a=b"));
  };
  CHECK(get("/assets/app.3f9a.js").header("Cache-Control") == "public, max-age=31536000, immutable");
  CHECK(get("/some/page").body() == "content");
  CHECK(get("/invoices/7").header("Content-Disposition") == "attachment; filename=\"Invoice 7.pdf\"");
  CHECK(get("/api/articles").header("Content-Encoding") == "br");
  const std::string tag(get("/assets/app.3f9a.js").header("ETag").value());
  CHECK(server.inject(corbel::get("/assets/app.3f9a.js").header("If-None-Match", tag)).code() == 304);
}
