#include "http/coding/coding.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "http/coding/limited_decoder.hpp"

using namespace corbel;
using coding::decoded;
using coding::format;
using coding::step;

namespace {

std::string encode(format f, std::string_view text, int level = 4, bool tell_size = true) {
  std::string out;
  coding::encoder(f, level, tell_size ? std::optional<std::uint64_t>(text.size()) : std::nullopt)
      .put(text, step::finish, out);
  return out;
}

struct outcome {
  decoded last = decoded::hungry;
  std::string text;
};
/// Given in pieces of `piece` bytes, with `room` for the output of each call.
outcome decode(format f, std::string_view in, std::size_t piece, std::size_t room = 1 << 20) {
  outcome made;
  coding::decoder decoder(f);
  while (!in.empty()) {
    auto part = in.substr(0, piece);
    in.remove_prefix(part.size());
    do {
      made.last = decoder.take(part, made.text, room);
      if (made.last == decoded::broken) return made;
    } while (made.last == decoded::full || !part.empty());
  }
  return made;
}

/// Text of words, runs and noise.
std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    const auto kind = random() % 4;
    const auto length = 1 + random() % 200;
    if (kind == 0)
      text.append(length, static_cast<char>(random()));
    else if (kind == 1)
      for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(random());
    else if (kind == 2 && text.size() > length)
      text.append(text, random() % (text.size() - length), length);
    else
      text += "{\"name\":\"value\",\"count\":" + std::to_string(random() % 1000) + "},";
  }
  text.resize(size);
  return text;
}

/// A zlib stream with one stored block; Adler-32 by its definition (RFC 1950, 8.2).
std::string stored_zlib(std::string_view text) {
  std::uint32_t a = 1, b = 0;
  for (const char c : text) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto size = static_cast<unsigned>(text.size());
  std::string out("\x78\x01\x01", 3);
  for (const unsigned part : {size & 0xff, size >> 8, ~size & 0xff, (~size >> 8) & 0xff})
    out += static_cast<char>(part);
  out += text;
  for (const unsigned part : {b >> 8, b & 0xff, a >> 8, a & 0xff}) out += static_cast<char>(part);
  return out;
}

}  // namespace

TEST_CASE("what is encoded decodes to the same, at every level and size") {
  std::mt19937 random(20260102);
  for (const auto f : {format::gzip, format::brotli})
    for (const int level : {1, 4, 9})
      for (const std::size_t size : {0u, 1u, 100u, 511u, 4096u, 16'384u, 16'385u, 70'000u}) {
        const auto text = random_text(random, size);
        for (const bool known : {true, false}) {
          CAPTURE(coding::name_of(f));
          CAPTURE(level);
          CAPTURE(size);
          const auto made = decode(f, encode(f, text, level, known), 1 << 20);
          CHECK(made.last == decoded::ended);
          CHECK((made.text == text));
        }
      }
}

TEST_CASE("every way to cut the input, and every room for the output, gives the same") {
  std::mt19937 random(7);
  const auto text = random_text(random, 1500);
  for (const auto f : {format::gzip, format::brotli}) {
    const auto encoded = encode(f, text);
    for (std::size_t cut = 1; cut < encoded.size(); ++cut) {
      coding::decoder decoder(f);
      std::string out;
      auto first = std::string_view(encoded).substr(0, cut);
      auto second = std::string_view(encoded).substr(cut);
      CHECK(decoder.take(first, out, 1 << 20) == decoded::hungry);
      CHECK(decoder.take(second, out, 1 << 20) == decoded::ended);
      CHECK((out == text));
    }
    for (const std::size_t room : {1u, 2u, 7u, 1499u, 1500u, 1501u})
      for (const std::size_t piece : {1u, 3u, 100'000u}) {
        const auto made = decode(f, encoded, piece, room);
        CHECK((made.text == text));
        CHECK(made.last == decoded::ended);
      }
  }
}

TEST_CASE("a flush lets the other end read all that was given so far") {
  for (const auto f : {format::gzip, format::brotli}) {
    coding::encoder encoder(f, 4);
    coding::decoder decoder(f);
    std::string read;
    for (int i = 0; i < 20; ++i) {
      const auto event = "data: event " + std::to_string(i) + "\n\n";
      std::string sent;
      encoder.put(event, step::flush, sent);
      std::string_view in = sent;
      read.clear();
      CHECK(decoder.take(in, read, 1 << 20) == decoded::hungry);
      CHECK(read == event);
    }
    std::string sent;
    encoder.put({}, step::finish, sent);
    std::string_view in = sent;
    CHECK(decoder.take(in, read, 1 << 20) == decoded::ended);
  }
}

TEST_CASE("a gzip body may have several members, no other one anything behind its end") {
  const auto two = encode(format::gzip, "one, ") + encode(format::gzip, "two");
  for (const std::size_t piece : {1u, 5u, 1000u}) {
    const auto made = decode(format::gzip, two, piece);
    CHECK(made.last == decoded::ended);
    CHECK(made.text == "one, two");
  }
  CHECK(decode(format::gzip, encode(format::gzip, "x") + "garbage", 1000).last == decoded::broken);
  CHECK(decode(format::brotli, encode(format::brotli, "x") + "g", 1000).last == decoded::broken);
  CHECK(decode(format::brotli, encode(format::brotli, "x") + "g", 1).last == decoded::broken);
  const auto zlib = stored_zlib("stored");
  CHECK(decode(format::deflate, zlib, 1).text == "stored");
  CHECK(decode(format::deflate, zlib, 1).last == decoded::ended);
  CHECK(decode(format::deflate, zlib + "g", 1000).last == decoded::broken);
  CHECK(decode(format::gzip, zlib, 1000).last == decoded::broken);
  CHECK(decode(format::deflate, encode(format::gzip, "x"), 1000).last == decoded::broken);
}

TEST_CASE("random damage is found, or harmless, and never more than the room is written") {
  std::mt19937 random(99);
  const auto text = random_text(random, 3000);
  int found = 0;
  for (const auto f : {format::gzip, format::brotli}) {
    const auto encoded = encode(f, text);
    for (int i = 0; i < 2000; ++i) {
      auto damaged = encoded;
      for (auto n = 1 + random() % 3; n > 0; --n)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      coding::decoder decoder(f);
      std::string out;
      std::string_view in = damaged;
      const auto came = decoder.take(in, out, 5000);
      REQUIRE(out.size() <= 5000);
      found += came == decoded::broken;
    }
  }
  CHECK(found > 2000);
}

TEST_CASE("a body that grows out of proportion is stopped at the limit, not behind it") {
  for (const auto f : {format::gzip, format::brotli}) {
    std::string bomb;
    {
      coding::encoder encoder(f, 9);
      const std::string zeros(1 << 20, '\0');
      for (int i = 0; i < 10; ++i) encoder.put(zeros, step::more, bomb);
      encoder.put({}, step::finish, bomb);
    }
    REQUIRE(bomb.size() < 12'000);
    const auto run = [&](const coding::growth_limits& limits, std::string& out) {
      coding::limited_decoder decoder(f, limits);
      std::string_view in = bomb;
      for (;;) {
        auto came = decoder.take(in, out, 4096);
        if (!came || !*came) return came;
      }
    };
    std::string out;
    const auto large = run({1 << 20, 1'000'000}, out);
    REQUIRE_FALSE(large);
    CHECK(large.error().code() == "payload_too_large");
    CHECK(out.size() == (1 << 20) + 1);
    out.clear();
    const auto steep = run({100 << 20, 200}, out);
    REQUIRE_FALSE(steep);
    CHECK(steep.error().code() == "encoding_ratio");
    CHECK(steep.error().kind() == error_kind::payload_too_large);
    CHECK(out.size() <= std::max<std::size_t>(64 * 1024, 200 * bomb.size()) + 4096);
    out.clear();
    CHECK(run({UINT64_MAX, 1'000'000'000}, out));
    CHECK(out.size() == 10 << 20);
  }
}
