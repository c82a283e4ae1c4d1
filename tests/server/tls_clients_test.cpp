// Clients that nobody here wrote.

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <fstream>

#include "corbel/routing/body_stream.hpp"
#include "server/certificates.hpp"
#include "server/running.hpp"
#include "server/tls_client.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using corbel::body_sink;
using corbel::body_stream;
using corbel::request;
using corbel::response;
using corbel::task;

struct outcome {
  int code = -1;
  std::string text;
  bool has(std::string_view what) const { return text.find(what) != std::string::npos; }
};

/// Runs a shell command that must end within 30 seconds, its input empty.
outcome sh(const std::string& command) {
  outcome made;
  std::FILE* const out = ::popen(("timeout 30 sh -c '" + command + "' 2>&1 </dev/null").c_str(), "r");
  REQUIRE(out);
  char piece[4096];
  while (const auto n = std::fread(piece, 1, sizeof piece, out)) made.text.append(piece, n);
  const int status = ::pclose(out);
  made.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return made;
}

std::atomic<int> producers_gone{0};

task<std::string> count(body_stream body) {
  std::size_t size = 0;
  for (auto piece = co_await body.read(); !piece.empty(); piece = co_await body.read()) size += piece.size();
  co_return std::to_string(size);
}

task<> produce(body_sink& to) {
  const std::string piece(10'000, 'p');
  for (int i = 0; i < 400; ++i) co_await to.write(piece);
}

task<> produce_for_ever(body_sink& to) {
  struct note {
    ~note() { ++producers_gone; }
  } const gone;
  const std::string piece(100'000, 'p');
  for (;;) co_await to.write(piece);
}

response streamed(corbel::body_producer by) {
  response out;
  out.stream("text/plain", {std::move(by), {}, false});
  return out;
}

void routes(corbel::route_group at) {
  at.get("/ping", [] { return std::string("pong"); });
  at.post("/count", &count).body_limit(100'000'000);
  at.post("/echo", [](const request& in) { return std::string(in.body()); });
  at.get("/streamed", [] { return streamed(&produce); });
  at.get("/endless", [] { return streamed(&produce_for_ever); });
}

struct fixture {
  explicit fixture(corbel::server_limits limits = {})
      : server((made.make("server", {.subject = "localhost", .names = {"DNS:localhost"}}), routes), limits, 1,
               5s, {}, {}, [&](corbel::server_settings& s) {
                 s.tls.emplace();
                 s.tls->certificate = made.certificate("server");
                 s.tls->key = made.key("server");
               }) {}

  std::string curl() const { return "curl -sS --max-time 25 --cacert " + made.certificate("server") + " "; }
  std::string url(const std::string& path) const {
    return "https://localhost:" + std::to_string(server.port()) + path + " ";
  }
  outcome s_client(const std::string& options) const {
    return sh("openssl s_client -connect 127.0.0.1:" + std::to_string(server.port()) + " -CAfile " +
              made.certificate("server") + " " + options);
  }

  certificates made;
  running server;
};

}  // namespace

TEST_CASE("openssl s_client agrees on modern protocols, and on nothing else") {
  const fixture f;
  for (const auto* good : {"-tls1_2", "-tls1_3"}) {
    const auto got = f.s_client(good);
    CHECK_MESSAGE(got.code == 0, got.text);
    CHECK(got.has("Verify return code: 0 (ok)"));
    CHECK(got.has("Compression: NONE"));
  }
  for (const auto* bad :
       {"-tls1 -cipher ALL:@SECLEVEL=0", "-tls1_1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher RC4:@SECLEVEL=0",
        "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0",
        "-curves P-384", "-alpn h2"}) {
    const auto got = f.s_client(bad);
    CHECK_MESSAGE(got.code != 0, bad);
  }
  CHECK(f.s_client("-alpn h2,http/1.1").has("ALPN protocol: http/1.1"));
  CHECK(f.s_client("-curves X25519:P-256").has("X25519"));
  CHECK(f.s_client("-curves P-256").has("prime256v1"));
}

TEST_CASE("curl uploads, downloads, streams, asks first and keeps alive") {
  const fixture f;
  const auto file = f.made.path("upload");
  std::ofstream(file) << std::string(20'000'000, 'u');
  auto got = sh(f.curl() + f.url("/ping") + f.url("/ping") + "-w %{num_connects}");
  CHECK_MESSAGE(got.text == "pong1pong0", got.text);
  got = sh(f.curl() + "-T " + file + " -X POST " + f.url("/count"));
  CHECK_MESSAGE(got.text == "20000000", got.text);
  got = sh(f.curl() + "-H Transfer-Encoding:chunked -T " + file + " -X POST " + f.url("/count"));
  CHECK_MESSAGE(got.text == "20000000", got.text);
  got = sh(f.curl() + "-H Expect:100-continue --expect100-timeout 20 -d hello " + f.url("/echo") + "-v");
  CHECK(got.has("100 Continue"));
  CHECK(got.has("hello"));
  for (const auto* version : {"--tls-max 1.2 ", "--tlsv1.3 "}) {
    got = sh(f.curl() + version + f.url("/streamed") + "| wc -c");
    CHECK_MESSAGE(got.text.find("4000000") != std::string::npos, got.text);
  }
  got = sh("curl -sS " + f.url("/ping"));
  CHECK(got.code == 60);  // nobody vouches for the certificate
  got = sh("curl -sS http://localhost:" + std::to_string(f.server.port()) + "/ping");
  CHECK(got.has("tls_expected"));
}

TEST_CASE("Python's ssl is served, goodbyes included") {
  const fixture f;
  const auto got =
      sh("python3 -c \"import ssl,http.client as h;"
         "c=h.HTTPSConnection(\\\"localhost\\\"," +
         std::to_string(f.server.port()) + ",context=ssl.create_default_context(cafile=\\\"" +
         f.made.certificate("server") +
         "\\\"));"
         "[c.request(\\\"GET\\\",\\\"/ping\\\") or print(c.getresponse().read().decode()) for _ in range(3)];"
         "s=c.sock;print(s.version());s.unwrap();print(\\\"bye\\\")\"");
  CHECK_MESSAGE(got.text == "pong\npong\npong\nTLSv1.3\nbye\n", got.text);
}

TEST_CASE("who does not read a streamed body over TLS is evicted, and holds nothing") {
  corbel::server_limits limits;
  limits.write_timeout = 400ms;
  const fixture f(limits);
  producers_gone = 0;
  tls_client slow(f.server.port(), {.receive_buffer = 4096});
  REQUIRE(slow.send(wire::get("/endless")));
  for (int i = 0; i < 1000 && producers_gone == 0; ++i) std::this_thread::sleep_for(5ms);
  CHECK(producers_gone == 1);
  slow.drain();
  CHECK_FALSE(slow.goodbye());  // so that nobody takes what came for all of it

  tls_client leaves(f.server.port());
  REQUIRE(leaves.send(wire::get("/endless")));
  // Some of the body, or the reset would overtake the request, or the producer's begin.
  char piece[4096];
  for (int got = 0; got < 50'000;) {
    const int n = SSL_read(leaves.raw(), piece, sizeof piece);
    REQUIRE(n > 0);
    got += n;
  }
  leaves.hang_up();
  for (int i = 0; i < 1000 && producers_gone == 1; ++i) std::this_thread::sleep_for(5ms);
  CHECK(producers_gone == 2);
}
