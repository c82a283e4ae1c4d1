#include "corbel/http/event_stream.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>

#include "corbel/runtime/notification.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;
using clock_type = std::chrono::steady_clock;

void check_line(std::string_view what, std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    throw std::invalid_argument("the " + std::string(what) +
                                " of an event holds a line end or a NUL; put such text into its data");
}

void append_line(std::string& out, std::string_view field, std::string_view value) {
  out.append(field).append(": ").append(value).append("\n");
}

/// One line of `field` for each line of the text: CRLF, CR and LF all end lines for a client.
void append_lines(std::string& out, std::string_view field, std::string_view text) {
  for (;;) {
    const auto end = text.find_first_of("\r\n");
    append_line(out, field, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
}

}  // namespace

void append_event(std::string& out, const server_event& e) {
  if (e.id()) check_line("id", *e.id());
  check_line("name", e.event());
  if (e.retry() && e.retry()->count() < 0)
    throw std::invalid_argument(
        "the retry of an event is negative; a client waits zero or more milliseconds");
  if (!e.event().empty()) append_line(out, "event", e.event());
  if (e.id()) append_line(out, "id", *e.id());
  if (e.retry()) append_line(out, "retry", std::to_string(e.retry()->count()));
  if (e.data()) append_lines(out, "data", *e.data());
  out += '\n';
}

void append_comment(std::string& out, std::string_view text) {
  append_lines(out, "", text);
  out += '\n';
}

/// What a producer and the heartbeat share: the body, which takes one writer at a time.
struct event_sink::state {
  explicit state(body_sink& sink) : to(sink) {}

  body_sink& to;
  bool busy = false;
  notification free;  // only the producer waits: the heartbeat is not needed while something is sent
  clock_type::time_point last = clock_type::now();
};

task<> event_sink::write(std::string_view formatted) {
  auto& s = *state_;
  while (s.busy) co_await s.free.wait();
  struct turn {
    state& of;
    explicit turn(state& s) : of(s) { of.busy = true; }
    ~turn() {
      of.busy = false;
      of.free.notify();
    }
  } const mine(s);
  co_await s.to.write(formatted);
  co_await s.to.flush();
  s.last = clock_type::now();
}

task<> event_sink::write_owned(std::string text) {
  co_await write(text);
}

task<> event_sink::send(const server_event& e) {
  std::string text;
  append_event(text, e);
  return write_owned(std::move(text));
}

task<> event_sink::comment(std::string_view text) {
  std::string all;
  append_comment(all, text);
  return write_owned(std::move(all));
}

streamed_body event_stream::body() const {
  streamed_body made;
  made.endless = true;
  made.produce = [produce = produce_, heartbeat = heartbeat_, retry = retry_](body_sink& to) {
    return run(produce, heartbeat, retry, to);
  };
  return made;
}

task<> event_stream::run_producer(producer& made, event_sink to, std::exception_ptr& thrown) {
  try {
    co_await made.run(to);
  } catch (...) {
    thrown = std::current_exception();
  }
}

task<> event_stream::beat(event_sink to, std::chrono::milliseconds interval, std::exception_ptr& thrown) {
  auto& s = *to.state_;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  try {
    for (;;) {
      timer.expires_at(s.last + interval);
      co_await timer.async_wait(asio::use_awaitable);
      if (clock_type::now() < s.last + interval) continue;
      if (s.busy)
        s.last = clock_type::now();  // what is on its way tells as much
      else
        co_await to.write(":\n\n");
    }
  } catch (...) {
    thrown = std::current_exception();
  }
}

task<> event_stream::run(std::shared_ptr<producer> produce, std::chrono::milliseconds heartbeat,
                         std::optional<std::chrono::milliseconds> retry, body_sink& to) {
  using namespace asio::experimental::awaitable_operators;
  event_sink::state shared(to);
  event_sink sink(shared);
  // The first bytes get the head past proxies that hold it back until a body begins.
  std::string hello = ":\n\n";
  if (retry) append_event(hello, server_event().retry(*retry));
  co_await sink.write(hello);
  std::exception_ptr producer_threw;
  std::exception_ptr beat_threw;
  if (heartbeat.count() > 0)
    // Whichever ends first has the other cancelled, and both are over before this goes on.
    co_await (run_producer(*produce, sink, producer_threw) || beat(sink, heartbeat, beat_threw));
  else
    co_await run_producer(*produce, sink, producer_threw);
  if (!producer_threw) co_return;
  // A producer that was cancelled because the heartbeat failed says less than the heartbeat.
  bool gone = false;
  try {
    if (beat_threw) std::rethrow_exception(beat_threw);
  } catch (const failure&) {
    gone = true;
  } catch (...) {
    gone = false;
  }
  std::rethrow_exception(gone ? beat_threw : producer_threw);
}

}  // namespace corbel
