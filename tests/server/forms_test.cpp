#include <doctest/doctest.h>
#include <sys/socket.h>

#include <fstream>
#include <string>

#include "corbel/routing/multipart.hpp"
#include "corbel/routing/multipart_stream.hpp"
#include "corbel/runtime/blocking_pool.hpp"
#include "http/form_bodies.hpp"
#include "routing/temporary_directory.hpp"
#include "server/command.hpp"
#include "server/eventually.hpp"
#include "server/running.hpp"
#include "server/wire.hpp"

namespace {

using namespace corbel;

struct entry {
  std::string title;
  std::vector<upload> files;
};
constexpr auto describe(tag<entry>) {
  using namespace corbel::rules;
  return object(field("title", &entry::title, text().max(50)),
                field("files", &entry::files, list_of(file()).max(10)));
}

task<std::string> report(multipart<entry> form) {
  std::string all = form->title;
  for (const auto& each : form->files) {
    all += " [" + each.filename() + ' ' + each.content_type() + ' ' + std::to_string(each.size());
    std::size_t sum = 0;
    for (std::uint64_t at = 0; at < each.size(); at += 65536)
      for (const char c : co_await each.read(at, 65536)) sum = sum * 31 + static_cast<unsigned char>(c);
    all += ' ' + std::to_string(sum) + ']';
  }
  co_return all;
}

task<std::string> names(multipart_stream form) {
  std::string all;
  while (auto* part = co_await form.next()) all += part->name() + ' ';
  co_return all;
}

std::size_t sum_of(std::string_view bytes) {
  std::size_t sum = 0;
  for (const char c : bytes) sum = sum * 31 + static_cast<unsigned char>(c);
  return sum;
}

struct service {
  service()
      : server(
            [](route_group routes) {
              routes.post("/", &report).body_limit(20u << 20);
              routes.post("/small", &report).body_limit(10'000);
              routes.post("/names", &names).body_limit(20u << 20);
            },
            {}, 1, std::chrono::seconds(5),
            [this](services& to) {
              settings.directory = spool.path();
              to.provide(settings);
              to.provide(pool);
            }) {}
  temporary_directory spool;
  multipart_settings settings;
  blocking_pool pool{2, 100};
  running server;
};

}  // namespace

TEST_CASE("curl sends fields and files, and their names arrive as they are") {
  service s;
  temporary_directory mine;
  std::string large;
  for (int i = 0; large.size() < 3'000'000; ++i) large += "line " + std::to_string(i) + "\r\n--";
  const auto file = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(mine / name, std::ios::binary) << bytes;
    return "-F 'files=@\"" + (mine / name) + "\"' ";
  };
  const auto url = "http://127.0.0.1:" + std::to_string(s.server.port());
  const auto one = file("small.txt", "hello") + file("Grüße 你好.bin", large) + file("empty", "");
  CHECK(output_of("curl -s -F 'title=Über uns' " + one + url) ==
        "Über uns [small.txt text/plain 5 " + std::to_string(sum_of("hello")) +
            "] [Grüße 你好.bin application/octet-stream " + std::to_string(large.size()) + " " +
            std::to_string(sum_of(large)) + "] [empty application/octet-stream 0 0]");
  CHECK(output_of("curl -s -F 'title=a\"b' -F 'files=@" + (mine / "small.txt") +
                  ";filename=\"c\\\"d;e.txt\";type=text/x' " + url) ==
        "a\"b [c\"d;e.txt text/x 5 " + std::to_string(sum_of("hello")) + "]");
  // Chunked, and waiting to be asked.
  CHECK(output_of("curl -s -H 'Transfer-Encoding: chunked' -H 'Expect: 100-continue' -F title=x " + one +
                  url + "/names") == "title files files files ");
  CHECK(output_of("curl -s -o /dev/null -w '%{http_code}' -F title=x " + one + url + "/small") == "413");
  CHECK(output_of("curl -s -o /dev/null -w '%{http_code}' -H 'Transfer-Encoding: chunked' -F title=x " + one +
                  url + "/small") == "413");
  CHECK(output_of("curl -s -o /dev/null -w '%{http_code}' -d title=x " + url) == "415");
  CHECK(eventually([&] { return s.spool.open() == 0; }));
  CHECK(s.spool.named() == 0);
}

TEST_CASE("Python's standard library sends forms") {
  service s;
  const auto said =
      output_of("python3 " TEST_FOLDER "/form_client.py " + std::to_string(s.server.port()) + " / 2>&1");
  const auto good = "200 Sea [a b.txt application/octet-stream 3 " + std::to_string(sum_of("one")) +
                    "] [big application/octet-stream 5000 " + std::to_string(sum_of(std::string(5000, 'x'))) +
                    "]\n";
  CHECK(said.substr(0, 2 * good.size()) == good + good);
  CHECK(said.substr(std::min(said.size(), 2 * good.size()), 4) == "400 ");
  CHECK(said.find("Content-Transfer-Encoding") != std::string::npos);
}

TEST_CASE("a form cut at every byte over a socket is the same form") {
  service s;
  const std::string b = "cut";
  const auto body = forms::field(b, "title", "Sea") + forms::file(b, "files", "f", "a/b", "x\r\n--cu\r\n--") +
                    forms::closing(b);
  const auto request = wire::post("/", body, "multipart/form-data; boundary=cut");
  wire::client whole(s.server.port());
  const auto expected = whole.ask(request);
  REQUIRE(expected);
  CHECK(expected->code == 200);
  for (std::size_t at = request.find("\r\n\r\n"); at < request.size(); at += 3) {
    wire::client c(s.server.port());
    c.send(std::string_view(request).substr(0, at));
    c.send(std::string_view(request).substr(at));
    const auto got = c.read();
    REQUIRE(got);
    CHECK(got->body == expected->body);
  }
  wire::client slow(s.server.port());
  slow.send_bytewise(request);
  const auto got = slow.read();
  REQUIRE(got);
  CHECK(got->body == expected->body);
}

TEST_CASE("a client that vanishes in the middle of a file leaves no file") {
  service s;
  const std::string b = "gone";
  const auto body = forms::field(b, "title", "Sea") +
                    forms::file(b, "files", "f", "a/b", std::string(2'000'000, 'x')) + forms::closing(b);
  const auto request = wire::post("/", body, "multipart/form-data; boundary=gone");
  for (int round = 0; round < 5; ++round) {
    wire::client c(s.server.port());
    c.send(std::string_view(request).substr(0, 1'000'000));
    CHECK(eventually([&] { return s.spool.open() >= 1; }));
    if (round % 2)
      c.reset();
    else
      c.half_close();
    CHECK(eventually([&] { return s.spool.open() == 0; }));
  }
  wire::client c(s.server.port());
  const auto got = c.ask(request);
  REQUIRE(got);
  CHECK(got->code == 200);
  CHECK(eventually([&] { return s.spool.open() == 0; }));
  CHECK(s.spool.named() == 0);
}
