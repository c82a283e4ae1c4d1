#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>

#include "base/sanitized.hpp"
#include "corbel/http/context.hpp"
#include "corbel/http/field.hpp"
#include "corbel/http/problem.hpp"
#include "corbel/http/response.hpp"
#include "corbel/middleware/request_id.hpp"
#include "corbel/routing/reply.hpp"
#include "effort.hpp"
#include "http/request_access.hpp"
#include "http/response_access.hpp"
#include "server/http1/serialize.hpp"

using namespace corbel;

namespace {

// An exception under a sanitizer takes hundreds of times as long; the optimised build does the many.
#if defined(__OPTIMIZE__)
const int rounds = effort(detail::sanitized ? 20'000 : 1'000'000);
#else
const int rounds = effort(detail::sanitized ? 20'000 : 200'000);
#endif

/// Reads a head as a peer does that ends a line at any CR or LF, and a text at a NUL: how many lines it sees.
/// `size` becomes the head's, with its blank line.
std::size_t lines_seen_by_the_laxest_reader(std::string_view wire, std::size_t& size) {
  std::size_t lines = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    REQUIRE(wire[i] != '\0');
    REQUIRE(wire[i] != '\n');
    if (wire[i] != '\r') continue;
    REQUIRE(i + 1 < wire.size());
    REQUIRE(wire[i + 1] == '\n');
    const auto line = wire.substr(begin, i - begin);
    begin = ++i + 1;
    if (line.empty()) {
      size = begin;
      return lines;
    }
    if (lines++ != 0) REQUIRE(is_token(line.substr(0, line.find(": "))));
  }
  FAIL("the head does not end");
  return 0;
}

std::string random_text(std::mt19937& random) {
  using namespace std::string_view_literals;
  static constexpr auto alphabet = "\r\n\0 \t:;,=/abX-\x7f\xff\x85\x0b\x0c"sv;
  static const std::string attacks[] = {"a\r\nSet-Cookie: x=1", "\r\n\r\n<script>", "a\nb: c", "a\rb",
                                        std::string("a\0b", 3), "a\r\n b"};
  if (random() % 16 == 0) return attacks[random() % 6];
  if (random() % 16 == 0) return std::string(100 + random() % 100, 'l');
  std::string text;
  for (auto n = random() % 12; n > 0; --n)
    text += random() % 3 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
  return text;
}

struct with_text_id {
  std::string id;
};
constexpr auto describe(tag<with_text_id>) {
  using namespace corbel::rules;
  return object(field("id", &with_text_id::id));
}

/// Hands a hostile text to one of the ways by which text reaches a head. Gives the number of fields that it
/// may have added.
std::size_t write_by(std::size_t way, std::mt19937& random, request& in, response& out) {
  const auto name = random() % 2 ? "X-Name" : random_text(random);
  const auto value = random_text(random);
  const auto reply = [&](auto made) {
    detail::write_reply(in, out, std::move(made));
    return std::size_t{2};  // Content-Type and Location
  };
  switch (way) {
    case 0: out.set(name, value); return 1;
    case 1: out.add(name, value); return 1;
    case 2: {
      header_block block;
      block.add("X-Fixed", "1").add(name, value);
      out.add(block);
      return 2;
    }
    case 3: out = redirect(value); return 1;
    case 4: out.body("body", value); return 1;
    case 5: {  // before hooks, then a handler's whole response
      out.set("X-Before", "1");
      response_access(out).lay();
      response made;
      made.add("X-Made", "1").add(name, value);
      detail::write_response(out, std::move(made));
      return iequals(name, "X-Before") ? 2 : 3;
    }
    case 6: request_access(in).add_header("X-Request-Id", value); [[fallthrough]];
    case 7:  // an id as the client sends it; or as a middleware of the application chooses it
      if (way == 7) in.id(value);
      (void)request_id{}.before(in, out);
      request_id{}.after(in, out);
      return 1;
    case 8: return reply(created(with_text_id{value}));
    case 9: return reply(created(with_text_id{"7"}).under(value));
    case 10: return reply(created(with_text_id{"7"}).at(value.empty() ? "/" : value));
    case 11: reply(value); return 1;
    case 12: {
      auto why = invalid({violation{value, value, value, value}}).detail(value, value);
      const bool waits = random() % 2;
      if (waits) why = std::move(why).retry_after(std::chrono::seconds(random() % 100));
      problem::write(in, why, out);
      return waits ? 3 : 2;  // Content-Type, Vary, Retry-After
    }
    default: out.set("X-A", "1").set("X-B", value).remove("X-A"); return 1;
  }
}

constexpr std::size_t ways = 14;

}  // namespace

TEST_CASE("no CR, LF or NUL reaches a head that we write, whatever we are asked to write") {
  std::mt19937 random(31337);
  const app_context context;
  byte_buffer wire;
  http1::date_line dates;
  const auto& date = dates.at(std::chrono::steady_clock::now());
  int taken[ways] = {};
  int refused[ways] = {};
  for (int round = 0; round < rounds; ++round) {
    request in;
    request_access access(in);
    access.context(context);
    const auto path = random() % 8 ? std::string("/things") : '/' + random_text(random);
    access.start_line(random() % 8 ? "GET" : "HEAD", path, random() % 4 ? 11 : 10);
    response out;
    const auto way = random() % ways;
    CAPTURE(way);
    std::size_t fields = 0;
    try {
      fields = write_by(way, random, in, out);
      ++taken[way];
    } catch (const std::invalid_argument&) {
      // What was set until then is whole: it is sent as it is.
      fields = static_cast<std::size_t>(std::count(out.header_text().begin(), out.header_text().end(), '\n'));
      REQUIRE(fields <= 2);
      ++refused[way];
    }
    if (random() % 4 == 0) out.status(static_cast<status>(random() % 700));
    wire.clear();
    http1::append_response(wire, in, out, random() % 2, date);
    std::size_t size = 0;
    const auto lines = lines_seen_by_the_laxest_reader(wire.view(), size);
    const bool connection = wire.view().find("\r\nConnection: ") < size;
    const bool length = wire.view().find("\r\nContent-Length: ") < size;
    REQUIRE(lines == 2 + fields + connection + length);
    const auto body = wire.view().substr(size);
    REQUIRE((body.empty() || body == out.body()));
  }
  for (std::size_t way = 0; way < ways; ++way) {
    CAPTURE(way);
    CHECK(taken[way] > rounds / 300);
    const bool cannot_fail = way == 6 || way == 11 || way == 12;
    CHECK((cannot_fail ? refused[way] == 0 : refused[way] > rounds / 300));
  }
}
