#include "corbel/routing/multipart.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>

#include "corbel/app/app.hpp"
#include "corbel/routing/multipart_stream.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "http/form_bodies.hpp"
#include "routing/arriving.hpp"
#include "routing/bare.hpp"
#include "routing/temporary_directory.hpp"

namespace {

using namespace corbel;
using namespace std::string_literals;

const std::string b = "XXboundaryXX";
const std::string form_type = "multipart/form-data; boundary=" + b;

struct entry {
  std::string title;
  int stars = 0;
  std::vector<std::string> tags;
  upload photo;
  std::optional<upload> note;
  std::vector<upload> more;
};
constexpr auto describe(tag<entry>) {
  using namespace corbel::rules;
  return object(
      field("title", &entry::title, text().trim().min(2)),
      field("stars", &entry::stars, number().between(0, 5).defaulted()),
      field("tag", &entry::tags, defaulted()),
      field("photo", &entry::photo, file().min_bytes(1).max_bytes(300'000).types("image/png", "text/*")),
      field("note", &entry::note),
      field("more", &entry::more, list_of(file().max_bytes(100)).max(2).defaulted()));
}

/// The answer of a handler that reports what it was given.
task<std::string> report(multipart<entry> form) {
  std::string all = form->title + ' ' + std::to_string(form->stars);
  for (const auto& each : form->tags) all += " #" + each;
  std::vector<upload> files{form->photo};
  if (form->note) files.push_back(*form->note);
  for (const auto& each : form->more) files.push_back(each);
  for (const auto& each : files) {
    all += ' ' + each.filename() + ':' + each.content_type() + ':' + std::to_string(each.size()) +
           (each.in_memory() ? ":memory" : ":disk");
    const auto bytes = co_await each.read_all();
    if (bytes.size() != each.size()) all += " BROKEN";
    if (each.size() < 20) all += ':' + bytes;
  }
  co_return all;
}

std::string title(std::string text = "Sea") {
  return forms::field(b, "title", text);
}
std::string photo(std::string bytes = "PNG", std::string type = "image/png") {
  return forms::file(b, "photo", "p.png", type, bytes);
}

struct fixture {
  explicit fixture(bool with_pool = false) : server(bare()) {
    settings.directory = dir.path();
    server.provide(settings);
    if (with_pool) server.provide(pool);
    server.post("/", &report).body_limit(4 << 20);
  }
  injected_response post(std::string body, std::string type = form_type) {
    return server.inject(corbel::post("/").body(std::move(body), std::move(type)));
  }
  std::string said(std::string body) {
    const auto out = post(std::move(body) + forms::closing(b));
    if (out.code() == 200) return out.body();
    const auto problem = nlohmann::json::parse(out.body());
    std::string all = std::to_string(out.code()) + ' ' + problem["code"].get<std::string>();
    for (const auto& each : problem["details"].value("errors", nlohmann::json::array()))
      all += ' ' + each["in"].get<std::string>() + each["path"].get<std::string>() + ':' +
             each["rule"].get<std::string>();
    return all;
  }
  temporary_directory dir;
  multipart_settings settings;
  blocking_pool pool{2, 100};
  app server;
};

struct survey {
  bool news = false;
  std::optional<int> age;
  std::optional<date> born;
  std::optional<std::string> remark;
};
constexpr auto describe(tag<survey>) {
  using namespace corbel::rules;
  return object(field("news", &survey::news, defaulted()), field("age", &survey::age),
                field("born", &survey::born), field("remark", &survey::remark));
}

}  // namespace

TEST_CASE("a form with files fills a described type") {
  fixture f;
  CHECK(f.said(title(" Sea ") + forms::field(b, "stars", "4") + forms::field(b, "tag", "a") +
               forms::field(b, "tag", "b") + photo() +
               forms::file(b, "note", "", "application/octet-stream", "") +
               forms::file(b, "more", "1", "Text/Plain; charset=utf-8", "one") +
               forms::file(b, "more", "2", "a/b", "two")) ==
        "Sea 4 #a #b p.png:image/png:3:memory:PNG 1:text/plain:3:memory:one 2:a/b:3:memory:two");
  CHECK(f.said(title() + photo() + forms::file(b, "note", "n", "a/b", "")) ==
        "Sea 0 p.png:image/png:3:memory:PNG n:a/b:0:memory:");
}

TEST_CASE("a browser's form with a file: empty inputs and other charsets") {
  fixture f;
  f.server.post("/survey", [](multipart<survey> in) {
    return std::to_string(in->news) + (in->age ? "age" : "-") + (in->born ? "born" : "-") +
           in->remark.value_or("none");
  });
  const auto labelled = [](std::string charset, std::string text) {
    return "--" + std::string(b) + "\r\nContent-Disposition: form-data; name=\"title\"\r\n" +
           "Content-Type: text/plain; charset=" + charset + "\r\n\r\n" + text + "\r\n";
  };
  const std::string sea = "Sea 0 p.png:image/png:3:memory:PNG";
  CHECK(f.said(labelled("utf8", "Sea") + photo()) == sea);
  CHECK(f.said(labelled("ISO-8859-1", "Sea") + photo()) == sea);
  CHECK(f.said(labelled("ISO-8859-1", "S\xe9 a") + photo()) == "400 validation_failed body/title:format");
  const auto out = f.server.inject(corbel::post("/survey").body(
      forms::field(b, "news", "on") + forms::field(b, "age", "") + forms::field(b, "born", "") +
          forms::field(b, "remark", "") + forms::closing(b),
      form_type));
  CHECK(out.body() == "1--");
  CHECK(f.said(labelled("ISO-8859-1", "S\xc3\xa9 a") + photo()) == "400 validation_failed body/title:format");
}

TEST_CASE("everything that is wrong with a form is said together") {
  fixture f;
  CHECK(f.said("") == "400 validation_failed body/title:required body/photo:required");
  CHECK(f.said(title("x") + forms::field(b, "stars", "9") + forms::field(b, "what", "1") +
               forms::file(b, "other", "o", "a/b", "1") + photo(std::string(300'001, 'x'), "image/gif")) ==
        "400 validation_failed body/photo:maxLength body/photo:enum body/title:minLength body/stars:maximum "
        "body/what:additionalProperties body/other:additionalProperties");
  CHECK(f.said(title() + forms::field(b, "photo", "text")) == "400 validation_failed body/photo:type");
  CHECK(f.said(forms::file(b, "title", "t", "text/plain", "Sea") + photo()) ==
        "400 validation_failed body/title:type");
  CHECK(f.said(title() + photo("")) == "400 validation_failed body/photo:minLength");
  CHECK(f.said(title() + photo() + photo()) == "400 validation_failed body/photo:maxItems");
  CHECK(f.said(title() + photo("x", "text/css")) == "Sea 0 p.png:text/css:1:memory:x");
  const auto one = forms::file(b, "more", "1", "a/b", "1");
  CHECK(f.said(title() + photo() + one + one + one) == "400 validation_failed body/more:maxItems");
  CHECK(f.said(title() + photo() + one + forms::file(b, "more", "2", "a/b", std::string(101, 'x'))) ==
        "400 validation_failed body/more/1:maxLength");
  CHECK(f.said(title("\xff\xfe") + photo()) == "400 validation_failed body/title:format");
  CHECK(f.said(title(std::string(65537, 'x')) + photo()) == "413 field_too_large");
}

TEST_CASE("another body is refused before it is read") {
  fixture f;
  CHECK(f.post("{}", "application/json").code() == 415);
  CHECK(f.post("a=b", "application/x-www-form-urlencoded").code() == 415);
  CHECK(f.server.inject(corbel::post("/")).code() == 415);
  CHECK(f.post("x", "multipart/form-data").code() == 400);
  CHECK(f.post("x").code() == 400);
  CHECK(f.post(title() + photo()).code() == 400);  // no closing boundary
}

TEST_CASE("large files go to disk, and nothing stays behind") {
  for (const bool with_pool : {false, true}) {
    CAPTURE(with_pool);
    fixture f(with_pool);
    CHECK(f.said(title() + photo(std::string(64 * 1024, 'x'))) == "Sea 0 p.png:image/png:65536:memory");
    CHECK(f.said(title() + photo(std::string(64 * 1024 + 1, 'x'))) == "Sea 0 p.png:image/png:65537:disk");
    CHECK(f.said(title("x") + photo(std::string(300'000, 'x'))) ==
          "400 validation_failed body/title:minLength");
    CHECK(f.post(title() + photo(std::string(300'000, 'x'))).code() == 400);
    f.pool.stop();
    CHECK(f.dir.named() == 0);
    CHECK(f.dir.open() == 0);
  }
}

TEST_CASE("cut anywhere, the form is the same, and a file is byte for byte what was sent") {
  std::mt19937 random(11);
  temporary_directory dir;
  multipart_settings settings;
  settings.directory = dir.path();
  settings.file_memory = 100;
  blocking_pool pool(1, 100);
  app_context context;
  context.provided.provide(settings);
  context.provided.provide(pool);
  std::string data;
  while (data.size() < 200'000)
    data += "\r\n--" + b.substr(0, random() % b.size()) + '.' + static_cast<char>(random());
  const auto body = title() + photo(data) + forms::field(b, "stars", "3") + forms::closing(b);
  const auto whole = make_endpoint([](multipart<entry> form) -> task<std::string> {
    co_return co_await form->photo.read_all() + std::to_string(form->stars);
  });
  for (const std::size_t most : {7u, 1000u, 60'000u}) {
    arriving_body source(body, [&](std::size_t) { return 1 + random() % most; });
    arriving_request asked(source, form_type, context);
    CHECK(!asked.serve(*whole));
    CHECK((asked.out.body() == data + "3"));
  }
  pool.stop();
  CHECK(dir.open() == 0);
}

TEST_CASE("a client that goes away in the middle leaves nothing") {
  temporary_directory dir;
  multipart_settings settings;
  settings.directory = dir.path();
  settings.file_memory = 100;
  app_context context;
  context.provided.provide(settings);
  const auto end = make_endpoint([](multipart<entry>) {});
  const auto body = title() + photo(std::string(100'000, 'x')) + forms::closing(b);
  const auto cut = [](std::size_t) { return std::size_t{5000}; };
  SUBCASE("reading fails") {
    arriving_body source(body, cut);
    source.fails_after = 60'000;
    arriving_request asked(source, form_type, context);
    const auto thrown = asked.serve(*end);
    REQUIRE(thrown);
    CHECK(thrown->code() == "client_gone");
  }
  SUBCASE("the handler is cancelled") {
    blocking_pool pool(1, 10);
    context.provided.provide(pool);
    arriving_body source(body, cut);
    source.hangs_after = 60'000;
    arriving_request asked(source, form_type, context);
    boost::asio::io_context loop;
    boost::asio::cancellation_signal cancel;
    bool ended = false;
    boost::asio::co_spawn(
        loop, end->serve_waiting(asked.in, asked.out),
        boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
    while (dir.open() == 0) loop.run_one();
    cancel.emit(boost::asio::cancellation_type::terminal);
    loop.run();
    CHECK(ended);
    pool.stop();
  }
  SUBCASE("the body ends too early") {
    arriving_body source(body.substr(0, 60'000), cut);
    arriving_request asked(source, form_type, context);
    const auto thrown = asked.serve(*end);
    REQUIRE(thrown);
    CHECK(thrown->code() == "malformed_multipart");
  }
  CHECK(dir.open() == 0);
  CHECK(dir.named() == 0);
}

TEST_CASE("a full disk is 503, and the log says where") {
  auto log = std::make_shared<captured_log>();
  temporary_directory dir;
  multipart_settings settings;
  settings.directory = dir.path();
  app server(bare(log));
  server.provide(settings);
  server.post("/", &report).body_limit(4 << 20);
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const auto usual = limit;
  limit.rlim_cur = 100'000;
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const auto out = server.inject(
      post("/").body(title() + photo(std::string(250'000, 'x')) + forms::closing(b), form_type));
  ::setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, before);
  CHECK(out.code() == 503);
  CHECK(out.body().find("storage_full") != std::string::npos);
  CHECK(out.body().find("writing") == std::string::npos);
  CHECK(log->contains("writing a file failed"));
  CHECK(dir.open() == 0);
}

TEST_CASE("an upload is saved complete or not at all") {
  fixture f;
  temporary_directory to;
  struct places {
    std::string directory;
  } where{to.path()};
  f.server.provide(where);
  f.server
      .post("/save",
            [](multipart<entry> form, state<places> at) -> task<std::string> {
              save_options how;
              how.overwrite = form->stars == 5;
              how.mode = form->stars == 4 ? 0640u : 0600u;
              how.sync = form->stars == 3;
              const auto path = at->directory + '/' + form->title;
              co_await form->photo.save_as(path, how);
              co_return path;
            })
      .body_limit(1 << 20);
  const auto save = [&](std::string name, std::string bytes, std::string stars = "0") {
    return f.server.inject(corbel::post("/save").body(
        title(name) + photo(bytes) + forms::field(b, "stars", stars) + forms::closing(b), form_type));
  };
  const std::string large(200'000, 'L');
  for (const auto& bytes : {"small"s, large}) {
    const auto name = "one" + std::to_string(bytes.size());
    CHECK(save(name, bytes).code() == 200);
    CHECK((content_of(to / name) == bytes));
    CHECK(save(name, "other").code() == 409);
    CHECK(save(name, large + "other").code() == 409);
    CHECK((content_of(to / name) == bytes));
    CHECK(save(name, bytes + "5", "5").code() == 200);
    CHECK((content_of(to / name) == bytes + "5"));
    CHECK(save(name + "m", bytes, "4").code() == 200);
    CHECK(save(name + "s", bytes, "3").code() == 200);
    struct stat facts {};
    CHECK(::stat((to / (name + "m")).c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0640);
    CHECK(::stat((to / name).c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    CHECK(save("no/such/place", bytes).code() == 500);
  }
  CHECK(to.named() == 6);
  CHECK(f.dir.named() == 0);
  CHECK(f.dir.open() == 0);
  CHECK(to.open() == 0);
}

TEST_CASE("saving twice makes two files") {
  temporary_directory dir;
  multipart_settings settings;
  settings.directory = dir.path();
  settings.file_memory = 2;
  boost::asio::io_context loop;
  part_head head;
  head.filename = "f";
  auto both = [](const part_head* h, const multipart_settings* how, const temporary_directory* at) -> task<> {
    upload_writer writer(*h, *how, nullptr);
    co_await writer.write("abcdef");
    const auto made = co_await writer.finish();
    co_await made.save_as(*at / "one");
    co_await made.save_as(*at / "two");
    std::ofstream(*at / "one", std::ios::app) << "!";
    CHECK(co_await made.read(4, 10) == "ef");
    CHECK(co_await made.read(6, 10) == "");
  };
  std::exception_ptr failed;
  boost::asio::co_spawn(loop, both(&head, &settings, &dir),
                        [&](std::exception_ptr thrown) { failed = thrown; });
  loop.run();
  CHECK(!failed);
  CHECK(content_of(dir / "one") == "abcdef!");
  CHECK(content_of(dir / "two") == "abcdef");
}

TEST_CASE("a form is read part by part while it arrives") {
  const auto body = title() + photo(std::string(10'000, 'p')) + forms::field(b, "skipped", "x") +
                    forms::field(b, "last", "z") + forms::closing(b) + "epilogue";
  const auto end = make_endpoint([](multipart_stream form) -> task<std::string> {
    std::string all;
    while (auto* part = co_await form.next()) {
      all += part->name() + '=';
      if (part->name() == "skipped") continue;
      if (part->filename()) {
        std::size_t size = 0;
        for (auto piece = co_await part->read(); !piece.empty(); piece = co_await part->read())
          size += piece.size();
        all += part->safe_name() + '(' + std::to_string(size) + ") ";
      } else {
        all += co_await part->read_all(3) + ' ';
      }
      if (!(co_await part->read()).empty()) all += "MORE";
    }
    if (co_await form.next()) all += "AGAIN";
    co_return all;
  });
  for (const std::size_t size : {1u, 2u, 3u, 50u, 100'000u}) {
    arriving_body source(body, [&](std::size_t) { return size; });
    arriving_request asked(source, form_type);
    CHECK(!asked.serve(*end));
    CHECK(asked.out.body() == "title=Sea photo=p.png(10000) skipped=last=z ");
  }
  arriving_body source(forms::field(b, "title", "four") + forms::closing(b),
                       [](std::size_t left) { return left; });
  arriving_request asked(source, form_type);
  const auto thrown = asked.serve(*end);
  REQUIRE(thrown);
  CHECK(thrown->code() == "field_too_large");
  arriving_body other("{}", [](std::size_t left) { return left; });
  arriving_request wrong(other, "application/json");
  CHECK(!wrong.serve(*end));
  CHECK(static_cast<int>(wrong.out.status()) == 415);
}

TEST_CASE("an upload is neither read from JSON nor lost in it") {
  CHECK(!json::parse<entry>(R"({"title":"ab","photo":"p.png"})"));
  CHECK(json::to_text(entry()).find(R"("photo":"")") != std::string::npos);
}
