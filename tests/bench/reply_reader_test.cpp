#include "load/reply_reader.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using load::reply;
using load::reply_reader;

namespace {

/// Feeds `text` in pieces of `size` bytes; the end of the text is the end of the connection.
std::vector<reply> read_in_pieces(std::string_view text, std::size_t size, bool* broken = nullptr) {
  reply_reader reader;
  std::vector<reply> all;
  while (!text.empty()) {
    auto piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    while (!piece.empty() && !reader.broken())
      if (const auto r = reader.next(piece)) all.push_back(*r);
  }
  if (const auto r = reader.end()) all.push_back(*r);
  if (broken) *broken = reader.broken();
  return all;
}

const std::string several =
    "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  5 \r\n\r\nhello"
    "HTTP/1.1 100 Continue\r\n\r\n"
    "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
    "HTTP/1.1 201 Created\r\nTransfer-Encoding: "
    "chunked\r\n\r\n5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-Content-Length: 7\r\n\r\n"
    "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nz"
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nuntil the end";

}  // namespace

TEST_CASE("A stream of replies reads the same, wherever it is cut") {
  for (std::size_t size = 1; size <= several.size(); ++size) {
    CAPTURE(size);
    const auto all = read_in_pieces(several, size);
    REQUIRE(all.size() == 6);
    const int status[] = {200, 204, 201, 404, 200, 503};
    const std::size_t length[] = {5, 0, 15, 0, 1, 13};
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(all[i].status == status[i]);
      CHECK(all[i].length == length[i]);
      CHECK(all[i].closes == (i == 5));
    }
  }
}

TEST_CASE("What is no HTTP is broken, not waited for") {
  for (const char* text : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"}) {
    CAPTURE(text);
    bool broken = false;
    CHECK(read_in_pieces(text, 1000, &broken).empty());
    CHECK(broken);
  }
}

TEST_CASE("Random bytes are survived") {
  constexpr std::uint64_t seed = 4711;
  MESSAGE("seed ", seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    auto text = several;
    for (int k = 0; k < 4; ++k) text[random() % text.size()] = static_cast<char>(random());
    const auto whole = read_in_pieces(text, text.size());
    const auto cut = read_in_pieces(text, 1 + random() % 40);
    REQUIRE(whole.size() == cut.size());
  }
}
