#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <charconv>
#include <string>

#include "corbel/corbel.hpp"
#include "corbel/http/context.hpp"
#include "corbel/runtime/event_loop.hpp"
#include "fuzz/fuzz.hpp"
#include "server/connection.hpp"
#include "server/worker.hpp"

namespace {

struct item {
  std::string name;
  int count = 1;
};
constexpr auto describe(corbel::tag<item>) {
  using namespace corbel::rules;
  return object(field("name", &item::name, text().min(1).max(20)),
                field("count", &item::count, number().between(1, 9).defaulted()));
}

corbel::task<std::string> read_all(corbel::body_stream body) {
  co_return "got " + co_await body.read_all();
}

corbel::response count_to(corbel::path<int> end) {
  const int n = *end % 50;
  corbel::response out;
  out.stream("text/plain", [n](corbel::body_sink& to) -> corbel::task<> {
    for (int i = 0; i < n; ++i) co_await to.write(std::to_string(i));
  });
  return out;
}

/// One service for all inputs, so that an input costs a connection and no more.
struct service {
  service() {
    auto root = routes.root();
    root.use(corbel::security_headers{}).use(corbel::request_id{});
    root.get("/", [] { return std::string("hello"); });
    root.get("/items/:id", [](corbel::path<int> id) { return item{"i", *id % 9 + 1}; });
    root.post("/items", [](corbel::body<item> in) { return *in; });
    root.post("/stream", &read_all).body_limit(4096);
    root.get("/count/:n", &count_to);
    root.get("/echo/*rest", [](const corbel::request& in) {
      corbel::response out = corbel::text_response("echo " + std::string(in.path_param("rest").value_or("")));
      if (const auto name = in.header("X-Echo")) out.set("X-Echoed", *name);
      return out;
    });
    fuzz::demand(routes.build(context.provided).empty(), "the target's own routes are wrong");
    shared.settings.limits.body_bytes = 4096;
  }

  corbel::app_context context;
  corbel::router routes{corbel::router_settings{corbel::trailing_slash::strict, 4096}};
  corbel::event_loop loop;
  corbel::server_shared shared{corbel::server_settings(), routes, context};
  corbel::worker home{loop, shared};
};

/// Takes a chunked body off the front: false when it is cut.
bool take_chunks(std::string_view& text) {
  for (;;) {
    const auto line = text.find("\r\n");
    if (line == text.npos) return false;
    std::size_t size = 0;
    const auto read = std::from_chars(text.data(), text.data() + line, size, 16);
    fuzz::demand(read.ec == std::errc() && read.ptr == text.data() + line, "a chunk without a size");
    if (text.size() < line + 2 + size + 2) return false;
    fuzz::demand(text.substr(line + 2 + size, 2) == "\r\n", "a chunk that does not end");
    text.remove_prefix(line + 2 + size + 2);
    if (size == 0) return true;
  }
}

/// Whether `text` is a sequence of responses as a strict client reads them; the last may be cut.
void check_responses(std::string_view text) {
  while (!text.empty()) {
    const auto blank = text.find("\r\n\r\n");
    if (blank == text.npos) return;
    auto head = text.substr(0, blank + 2);
    fuzz::demand(head.substr(0, 9) == "HTTP/1.1 ", "what was sent is no response");
    text.remove_prefix(blank + 4);
    std::size_t length = 0;
    int framings = 0;
    bool chunked = false;
    const auto code = head.substr(9, 3);
    for (auto at = head.find("\r\n") + 2; at < head.size(); at = head.find("\r\n", at) + 2) {
      const auto line = head.substr(at, head.find("\r\n", at) - at);
      const auto colon = line.find(": ");
      fuzz::demand(colon != line.npos && corbel::is_token(line.substr(0, colon)), "a field without a name");
      fuzz::demand(!corbel::has_control(line), "a control character in a header");
      if (line.substr(0, colon) == "Content-Length") {
        ++framings;
        for (const char c : line.substr(colon + 2)) length = length * 10 + static_cast<std::size_t>(c - '0');
      } else if (line.substr(0, colon) == "Transfer-Encoding") {
        ++framings;
        chunked = true;
      }
    }
    fuzz::demand(framings <= 1, "a response with two framings");
    if (code == "100" || code == "204" || code == "304") continue;
    // An answer to HEAD: no body of these routes begins like a response, nor does a chunk.
    if (text.substr(0, 9) == "HTTP/1.1 ") continue;
    if (chunked && !take_chunks(text)) return;
    if (chunked) continue;
    if (text.size() < length) return;
    text.remove_prefix(length);
  }
}

}  // namespace

/// A connection answers whatever it is sent, in pieces of any size, with well-formed responses only.
void fuzz::connection(std::string_view input) {
  static service& all = *new service;  // never destroyed: the loop's threads and statics end in any order
  int ends[2];
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "no socket pair");
  all.shared.connections.fetch_add(1);
  all.home.accepted(ends[0], "192.0.2.1");
  std::string got;
  char buffer[65536];
  const auto turn = [&] {
    auto& context = all.loop.context();
    context.restart();
    while (context.poll() != 0) {
    }
    for (ssize_t n = 0; (n = ::recv(ends[1], buffer, sizeof buffer, 0)) > 0;)
      got.append(buffer, static_cast<std::size_t>(n));
  };
  const std::size_t step = 1 + choice(input, 255) * 16;
  while (!input.empty()) {
    const auto n = ::send(ends[1], input.data(), std::min(step, input.size()), MSG_NOSIGNAL);
    if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
    turn();
    if (n <= 0) break;
  }
  turn();
  check_responses(got);
  ::close(ends[1]);
  turn();
  all.home.close_all();
  turn();
  demand(all.home.size() == 0, "a connection was left behind");
}
