#include <doctest/doctest.h>
#include <sys/socket.h>
#include <zlib.h>

#include <cstdio>
#include <future>

#include "client/caller.hpp"
#include "client/raw_server.hpp"

using namespace corbel;
using namespace std::chrono_literals;

namespace {

std::string zip(std::string_view text) {
  z_stream z{};
  REQUIRE(::deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&z, text.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  ::deflateEnd(&z);
  return out;
}

raw_server::script saying(std::string words, bool bytewise = false) {
  return [words, bytewise](auto& peer) {
    while (!peer.request().empty()) {
      if (bytewise)
        peer.send_bytewise(words);
      else
        peer.send(words);
      if (words.find("Content-Length") == words.npos && words.find("chunked") == words.npos) return;
    }
  };
}

std::string code_of(caller& loop, const client& http, const std::string& words) {
  raw_server service([&](auto& peer) {
    peer.request();
    peer.send(words);
  });
  const auto got = loop.wait(http.get(service.url()));
  return got ? "body: " + got->body() : got.error().code();
}

std::string chunk(std::string_view text) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + std::string(text) + "\r\n";
}

}  // namespace

TEST_CASE("a body is read as it comes, and what is not read holds the server up") {
  std::promise<std::size_t> sent;
  raw_server service([&](auto& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string piece(100000, 'x');
    std::size_t n = 0;
    const timeval brief{0, 300000};
    ::setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &brief, sizeof brief);
    for (; n < 1000 && peer.send(piece); ++n) {
    }
    sent.set_value(n);
  });
  caller loop;
  client http(local());
  {
    auto stream = loop.wait(http.open(outbound::get(service.url()).body_limit(200'000'000)));
    REQUIRE(stream);
    CHECK(stream->head().code() == 200);
    CHECK(stream->head().body().empty());
    CHECK(stream->head().header("Content-Length") == "100000000");
    auto first = loop.wait(stream->read());
    REQUIRE(first);
    CHECK(first->size() > 0);
    CHECK(sent.get_future().get() < 1000);  // it gave up, since we did not read on
  }
}

TEST_CASE("a stream that was read to its end leaves its connection to the next call") {
  raw_server service(saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("abc") +
                            chunk("def") + "0\r\n\r\n"));
  caller loop;
  client http(local());
  for (int i = 0; i < 3; ++i) {
    auto stream = loop.wait(http.open(outbound::get(service.url())));
    std::string body;
    for (;;) {
      const auto piece = loop.wait(stream->read());
      REQUIRE(piece);
      if (piece->empty()) break;
      body += *piece;
    }
    CHECK(body == "abcdef");
    CHECK(loop.wait(stream->read())->empty());
  }
  CHECK(service.connections() == 1);
  {
    auto left = loop.wait(http.open(outbound::get(service.url())));
    auto moved = std::move(left);
    CHECK(moved->head().code() == 200);
  }
  CHECK(loop.wait(http.get(service.url()))->body() == "abcdef");
  CHECK(service.connections() == 2);
}

TEST_CASE("a body that does not end as it said is an error, never a short body") {
  caller loop;
  client http(local());
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(code_of(loop, http, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") == "connection_lost");
  CHECK(code_of(loop, http, chunked + "5\r\nabc") == "connection_lost");
  CHECK(code_of(loop, http, chunked + chunk("abc")) == "connection_lost");
  CHECK(code_of(loop, http, chunked + "zz\r\n") == "malformed_response");
  CHECK(code_of(loop, http, "HTTP/1.1 200 OK\r\nContent-Le") == "connection_lost");
  CHECK(code_of(loop, http, "") == "connection_lost");
  CHECK(code_of(loop, http, "HELLO\r\n\r\n") == "malformed_response");
  CHECK(code_of(loop, http, "HTTP/1.1 200 OK\r\n\r\nto the end") == "body: to the end");
  CHECK(code_of(loop, http, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" + ok("x")) ==
        "body: x");
  CHECK(code_of(loop, http, "HTTP/1.1 101 Switching\r\n\r\n") == "malformed_response");
  std::string interim;
  for (int i = 0; i < 30; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(code_of(loop, http, interim + ok("x")) == "malformed_response");
}

TEST_CASE("heads and bodies have limits") {
  auto settings = local();
  settings.limits.header_bytes = 1000;
  settings.limits.body = byte_size{100};
  caller loop;
  client http(settings);
  CHECK(code_of(loop, http, ok("x", "A: " + std::string(1000, 'a') + "\r\n")) == "too_large");
  CHECK(code_of(loop, http, "HTTP/1.1 200 OK\r\nA: " + std::string(100000, 'a')) == "too_large");
  CHECK(code_of(loop, http, ok(std::string(100, 'x'))) == "body: " + std::string(100, 'x'));
  CHECK(code_of(loop, http, ok(std::string(101, 'x'))) == "too_large");
  CHECK(code_of(loop, http, "HTTP/1.1 200 OK\r\n\r\n" + std::string(101, 'x')) == "too_large");
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(code_of(loop, http,
                chunked + chunk(std::string(60, 'x')) + chunk(std::string(41, 'x')) + "0\r\n\r\n") ==
        "too_large");
}

TEST_CASE("gzip is undone, and what expands beyond the limit is refused") {
  caller loop;
  client http(local());
  const std::string text = "the quick brown fox " + std::string(100000, '.');
  const auto zipped = zip(text);
  const auto gzip = [](std::string_view body, std::string_view coding = "gzip") {
    return ok(body, "Content-Encoding: " + std::string(coding) + "\r\n");
  };
  for (const bool bytewise : {false, true}) {
    raw_server service(saying(gzip(zipped), bytewise));
    const auto got = loop.wait(http.get(service.url()));
    REQUIRE(got);
    CHECK(got->body() == text);
    CHECK_FALSE(got->header("Content-Encoding"));
    CHECK_FALSE(got->header("Content-Length"));
    CHECK(loop.wait(http.get(service.url()))->body() == text);
    CHECK(service.connections() == 1);
    // Whoever asks for a coding by name gets it as it came.
    const auto raw = loop.wait(http.send(outbound::get(service.url()).header("Accept-Encoding", "gzip")));
    CHECK(raw->body() == zipped);
  }
  CHECK(code_of(loop, http, gzip(zip("a") + zip("b"), "x-gzip")) == "body: ab");
  CHECK(code_of(loop, http, gzip(zipped.substr(0, zipped.size() - 1))) == "malformed_response");
  CHECK(code_of(loop, http, gzip(zipped + "junk")) == "malformed_response");
  CHECK(code_of(loop, http, gzip("not gzip at all")) == "malformed_response");
  CHECK(code_of(loop, http, gzip("")) == "body: ");
  auto broken = zipped;
  broken[broken.size() / 2] = static_cast<char>(~broken[broken.size() / 2]);
  CHECK(code_of(loop, http, gzip(broken)) == "malformed_response");
  // 64 MiB in 64 KiB.
  CHECK(code_of(loop, http, gzip(zip(std::string(64 << 20, 'x')))) == "too_large");
  auto plain = local();
  plain.decompress = false;
  client as_is(plain);
  CHECK(code_of(loop, as_is, gzip("zzz")) == "body: zzz");
}

TEST_CASE("a body may be made while it is sent") {
  std::promise<std::string> received;
  raw_server service([&](auto& peer) {
    std::string all;
    while (all.find("\r\n0\r\n\r\n") == all.npos) {
      char piece[4096];
      const auto n = ::recv(peer.fd(), piece, sizeof piece, 0);
      if (n <= 0) break;
      all.append(piece, static_cast<std::size_t>(n));
    }
    received.set_value(all);
    peer.send(ok("got it"));
  });
  caller loop;
  client http(local());
  const auto produce = [](body_sink& to) -> task<> {
    for (std::size_t n = 1; n <= 3; ++n) {
      co_await to.write("");
      co_await to.write(std::string(n * 8, 'x'));
    }
  };
  const auto got = loop.wait(http.send(outbound::post(service.url()).stream(produce, "text/plain")));
  REQUIRE(got);
  CHECK(got->body() == "got it");
  const auto sent = received.get_future().get();
  CHECK(sent.substr(sent.find("\r\n\r\n") + 4) ==
        chunk(std::string(8, 'x')) + chunk(std::string(16, 'x')) + chunk(std::string(24, 'x')) + "0\r\n\r\n");
  CHECK(sent.find("Transfer-Encoding: chunked\r\n") != std::string::npos);

  const auto failing = [](std::optional<std::uint64_t> size, std::string piece) {
    raw_server deaf([](auto& peer) {
      peer.request();
      peer.ends();
    });
    caller here;
    client brief(local());
    const auto odd = [piece](body_sink& to) -> task<> {
      if (piece == "fail") throw failure(not_found("no more"));
      try {
        co_await to.write(piece);
      } catch (const failure&) {
        // It goes on as if nothing were wrong; the call still fails.
      }
    };
    const auto failed = here.wait(brief.send(outbound::put(deaf.url()).stream(odd, "text/plain", size)));
    return failed.error().code();
  };
  CHECK(failing(5, "abc") == "invalid_request");
  CHECK(failing(2, "abc") == "invalid_request");
  CHECK(failing({}, "fail") == "not_found");
}

TEST_CASE("a server may refuse a body before it has read it") {
  raw_server service([](auto& peer) {
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    ::shutdown(peer.fd(), SHUT_WR);
    char piece[65536];
    for (int i = 0; i < 100 && ::recv(peer.fd(), piece, sizeof piece, 0) > 0; ++i) {
    }
  });
  caller loop;
  client http(local());
  const auto got =
      loop.wait(http.send(outbound::post(service.url()).body(std::string(20 << 20, 'x'), "text/plain")));
  if (got)
    CHECK(got->code() == 413);
  else
    CHECK(got.error().code() == "connection_lost");  // a reset has swallowed the answer
}

TEST_CASE("a reset is told from an answer") {
  raw_server service([](auto& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    peer.reset();
  });
  caller loop;
  client http(local());
  CHECK(loop.wait(http.get(service.url())).error().code() == "connection_lost");
}
