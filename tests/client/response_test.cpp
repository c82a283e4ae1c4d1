#include <doctest/doctest.h>

#include <random>

#include "client/body_framer.hpp"
#include "client/response_head.hpp"

using namespace corbel;
using namespace corbel::outgoing;

namespace {

struct read_response {
  std::string refused;  // the error's code
  client_response head;
  std::string body;
  bool whole = false;
  bool keep_alive = false;
  std::string rest;
};

/// What a text means, fed in pieces that end at `cuts`.
read_response read(std::string_view text, std::vector<std::size_t> cuts, method asked = method::get) {
  read_response made;
  cuts.push_back(text.size());
  std::string held;
  std::size_t from = 0, searched = 0;
  bool has_head = false;
  body_framer body;
  for (const auto cut : cuts) {
    held += text.substr(from, cut - from);
    from = cut;
    if (!has_head) {
      const auto size = find_head(held, searched);
      if (!size) continue;
      response_framing framing;
      if (auto wrong = read_head(std::string_view(held).substr(0, *size), asked, client_limits(), made.head,
                                 framing)) {
        made.refused = wrong->code();
        return made;
      }
      has_head = true;
      made.keep_alive = framing.keep_alive;
      body = body_framer(framing);
      held.erase(0, *size);
    }
    std::string_view in = held;
    std::optional<error> why;
    while (!body.done()) {
      const auto piece = body.next(in, why);
      if (why) {
        made.refused = why->code();
        return made;
      }
      if (piece.empty()) break;
      made.body += piece;
    }
    held.erase(0, held.size() - in.size());
  }
  made.whole = has_head && body.may_end();
  made.rest = held;
  return made;
}

read_response whole(std::string_view text, method asked = method::get) {
  return read(text, {}, asked);
}

std::string refused(std::string_view head) {
  return whole("HTTP/1.1 200 OK\r\n" + std::string(head) + "\r\n").refused;
}

}  // namespace

TEST_CASE("bodies end where the response says") {
  auto r = whole("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef");
  CHECK(r.body == "abc");
  CHECK(r.whole);
  CHECK(r.keep_alive);
  CHECK(r.rest == "def");
  r = whole(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n00\r\nT: "
      "v\r\n\r\nnext");
  CHECK(r.body == "abc0123456789");
  CHECK(r.rest == "next");
  CHECK_FALSE(r.head.header("T"));
  r = whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3  \r\nabc\r\n0\r\n\r\n");
  CHECK(r.body == "abc");
  r = whole("HTTP/1.1 200 OK\r\n\r\nuntil the end");
  CHECK(r.body == "until the end");
  CHECK(r.whole);
  CHECK_FALSE(r.keep_alive);
  for (const std::string_view line : {"HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified"}) {
    r = whole(std::string(line) + "\r\nContent-Length: 3\r\n\r\nabc");
    CHECK(r.body.empty());
    CHECK(r.rest == "abc");
  }
  CHECK(whole("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", method::head).whole);
  CHECK(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method::head).whole);
  CHECK_FALSE(whole("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab").whole);
  CHECK_FALSE(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").whole);
}

TEST_CASE("connections are kept as the version and Connection say") {
  CHECK(whole("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").keep_alive);
  CHECK_FALSE(whole("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n").keep_alive);
  CHECK_FALSE(whole("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  CHECK(whole("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

TEST_CASE("what can be read in two ways is no response") {
  for (const std::string_view line : {"",
                                      "HTTP/1.1",
                                      "HTTP/1.1 ",
                                      "HTTP/1.1 20",
                                      "HTTP/1.1 20 OK",
                                      "HTTP/1.1 2000 OK",
                                      "HTTP/1.1 0200 OK",
                                      "HTTP/1.1 099 X",
                                      "HTTP/1.1  200 OK",
                                      "HTTP/2.0 200 OK",
                                      "HTTP/1.2 200 OK",
                                      "http/1.1 200 OK",
                                      " HTTP/1.1 200 OK",
                                      "HTTP/1.1\t200 OK",
                                      "HTTP/1.1 200\tOK",
                                      "ICY 200 OK",
                                      "HTTP/1.1 200 O\x01K",
                                      "HTTP/1.1 200 O\rK",
                                      "HTTP/1.1 200 OK\nX: y",
                                      "GET / HTTP/1.1"})
    CHECK_MESSAGE(whole(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").refused == "malformed_response",
                  std::string(line));
  for (const std::string_view fields : {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                                        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                                        "Content-Length: 1\r\nContent-Length: 1\r\n",
                                        "Content-Length: 1, 1\r\n",
                                        "Content-Length: +1\r\n",
                                        "Content-Length: -1\r\n",
                                        "Content-Length: 0x1\r\n",
                                        "Content-Length: 1 1\r\n",
                                        "Content-Length: \r\n",
                                        "Content-Length: 9999999999999999999\r\n",
                                        "Content-Length: 1.0\r\n",
                                        "Transfer-Encoding: gzip\r\n",
                                        "Transfer-Encoding: gzip, chunked\r\n",
                                        "Transfer-Encoding: chunked, chunked\r\n",
                                        "Transfer-Encoding: identity\r\n",
                                        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                                        "Transfer-Encoding:\r\n",
                                        "Transfer-Encoding: \x0b"
                                        "chunked\r\n",
                                        "Transfer-Encoding : chunked\r\n",
                                        " Content-Length: 1\r\n",
                                        "Content-Length : 1\r\n",
                                        " X: a\r\n",
                                        "Content-Length: 1\r\n 1\r\n",
                                        "Transfer-Encoding:\r\n chunked,\r\n chunked\r\n",
                                        "X: a\r\n b\n c\r\n",
                                        "X: a\nY: b\r\n",
                                        "X: a\rY: b\r\n",
                                        "X\r\n",
                                        ": a\r\n",
                                        "X Y: a\r\n",
                                        "X: \x01\r\n"})
    CHECK_MESSAGE(refused(fields) == "malformed_response", std::string(fields));
  CHECK(refused(std::string("X: a\0b\r\n", 8)) == "malformed_response");
  CHECK(whole("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").refused == "malformed_response");
  for (const std::string_view body :
       {"x\r\n", "\r\n", ";\r\n", " 1\r\na\r\n", "1\na\r\n", "1\r\rab", "1\r\nab\r\n", "1\r\na\n",
        "-1\r\na\r\n", "0x1\r\na\r\n", "1 x\r\na\r\n", "0\r\nbad trailer\r\n\r\n", "0\r\n: x\r\n\r\n",
        "0\r\nX: a\nb\r\n\r\n", "1000000000000000\r\n", "1;\x01\r\na\r\n"})
    CHECK_MESSAGE(
        whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body)).refused ==
            "malformed_response",
        std::string(body));
}

TEST_CASE("a folded field goes on behind one blank") {
  auto r = whole("HTTP/1.1 200 OK\r\nX: a \r\n  \tb\r\n c\r\nContent-Length:\r\n 3\r\nY:\r\n\t\r\n\r\nabc");
  CHECK(r.refused.empty());
  CHECK(r.head.header("X") == "a b c");
  CHECK(r.head.header("Y") == "");
  CHECK(r.body == "abc");
  r = whole("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  CHECK(r.body == "abc");
  CHECK_FALSE(whole("HTTP/1.1 200 OK\r\nConnection: x,\r\n close\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

TEST_CASE("a response with bare line feeds is refused at the first, not waited for") {
  for (const std::string_view text : {"HTTP/1.1 200 OK\n", "HTTP/1.1 200 OK\nX: y\n\nabc",
                                      "HTTP/1.1 200 OK\r\nX: y\n", "HTTP/1.1 200 OK\r\n\n", "\n"})
    CHECK_MESSAGE(whole(text).refused == "malformed_response", std::string(text));
  CHECK(whole("HTTP/1.1 200 OK\r\nX: y\r").refused.empty());
}

TEST_CASE("heads and trailers have limits") {
  std::string fields;
  for (int i = 0; i < 257; ++i) fields += "X: y\r\n";
  CHECK(refused(fields) == "too_large");
  CHECK(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(20000, 'y'))
            .refused == "too_large");
  CHECK(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(300, 'y')).refused ==
        "malformed_response");
}

TEST_CASE("it makes no difference where the network cuts a response") {
  for (const std::string_view text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nabcdef",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n1\r\nd\r\n0\r\nA: "
        "b\r\n\r\nHTTP/1.1",
        "HTTP/1.0 200 OK\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nabc",
        "HTTP/1.1 200 OK\nX: y\n\n", "HTTP/1.1 200 OK\r\nX: y\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"}) {
    const auto at_once = whole(text);
    std::vector<std::size_t> every;
    for (std::size_t i = 1; i < text.size(); ++i) {
      const auto cut = read(text, {i});
      CHECK(cut.refused == at_once.refused);
      if (cut.refused.empty()) {
        CHECK(cut.body == at_once.body);
        CHECK(cut.whole == at_once.whole);
        CHECK(cut.rest == at_once.rest);
      }
      every.push_back(i);
    }
    CHECK(read(text, every).refused == at_once.refused);
  }
}

TEST_CASE("random bytes harm nothing") {
  std::mt19937 random(20260302);
  INFO("seed 20260302");
  const std::string_view seeds[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nabcde",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\nA: b\r\n\r\n"};
  for (int i = 0; i < 20000; ++i) {
    std::string text(seeds[i % 2]);
    for (auto n = random() % 6; n > 0; --n) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1);
      else if (random() % 2)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, 1, "\r\n :;0a"[random() % 7]);
    }
    const auto made = read(text, {text.empty() ? 0 : random() % text.size()});
    if (made.refused.empty() && made.whole)
      for (const auto& [name, value] : made.head.headers())
        REQUIRE((name + value).find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
}
