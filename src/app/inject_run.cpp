#include "app/inject_run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <exception>

#include "corbel/http/problem.hpp"
#include "http/body_limit.hpp"
#include "http/request_access.hpp"
#include "server/http1/head.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;

/// Runs the context until the task has ended; throws what it throws.
void run_until_done(asio::io_context& context, task<> work) {
  bool done = false;
  std::exception_ptr thrown;
  asio::co_spawn(context, std::move(work), [&](std::exception_ptr failed) {
    thrown = failed;
    done = true;
  });
  const auto stay = asio::make_work_guard(context);
  context.restart();
  while (!done) context.run_one();
  if (thrown) std::rethrow_exception(thrown);
}

task<> ask(const resolved_route* route, request* in, result<void>* verdict) {
  std::exception_ptr thrown;
  try {
    *verdict = co_await route->guard_waiting(*in);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) *verdict = problem::from_exception(thrown);
}

task<> stop_all(lifecycle* components) {
  (void)co_await components->stop();
}

/// Collects what a streamed body produces.
class collecting_sink final : public body_sink {
 public:
  explicit collecting_sink(std::string& into) : into_(into) {}
  task<> write(std::string_view bytes) override {
    into_ += bytes;
    co_return;
  }

 private:
  std::string& into_;
};

/// Runs a producer to its end. One that has none is told to end as soon as it waits for something to happen.
void collect(asio::io_context& context, const streamed_body& made, std::string& into) {
  collecting_sink sink(into);
  if (!made.endless) return run_until_done(context, made.produce(sink));
  asio::cancellation_signal hang_up;
  bool done = false;
  asio::co_spawn(context, made.produce(sink),
                 asio::bind_cancellation_slot(hang_up.slot(), [&](std::exception_ptr) { done = true; }));
  const auto stay = asio::make_work_guard(context);
  context.restart();
  while (!done && context.poll() != 0) {
  }
  // What is emitted is posted, and would look for a signal that is gone when nothing runs any more.
  if (!done) hang_up.emit(asio::cancellation_type::terminal);
  while (!done) context.run_one();
}

std::optional<error> read(const std::string& text, const server_limits& limits, request& in) {
  http1::head_scan scan;
  std::size_t size = 0;
  std::optional<error> why;
  switch (http1::scan_head(text, scan, limits, size, why)) {
    case http1::head_outcome::refused: return why;
    case http1::head_outcome::incomplete:
      return malformed("The request's head is not complete.", "malformed_request");
    case http1::head_outcome::complete: break;
  }
  http1::message_framing framing;
  why = http1::parse_head(std::string_view(text).substr(0, size), in, framing);
  request_access(in).body(std::string_view(text).substr(size));
  return why;
}

/// As the server does for a request whose body has come along with its head.
void serve(asio::io_context& context, const resolved_route& route, request& in, response& out) {
  const auto& traits = route.traits();
  request_access access(in);
  const auto body = in.body();
  access.body({});
  result<void> verdict;
  if (traits.guard_waits)
    run_until_done(context, ask(&route, &in, &verdict));
  else if (traits.guarded)
    verdict = route.guard(in);
  if (verdict && body.size() > traits.body_limit) verdict = body_too_large(traits.body_limit);
  if (!verdict) return route.refuse(in, verdict.error(), out);
  access.body(body);
  if (traits.waits)
    run_until_done(context, route.serve_waiting(in, out));
  else
    route.serve(in, out);
}

}  // namespace

std::string injected_request::text() const {
  std::string text = method_ + ' ' + target_ + " HTTP/1.1\r\n";
  bool host = false;
  for (const auto& [name, value] : headers_) {
    text += name + ": " + value + "\r\n";
    host |= iequals(name, "host");
  }
  if (!host) text += "Host: localhost\r\n";
  if (!body_.empty()) text += "Content-Length: " + std::to_string(body_.size()) + "\r\n";
  return text + "\r\n" + body_;
}

void start_injecting(asio::io_context& context, lifecycle& components) {
  run_until_done(context, components.start());
}

void stop_injecting(asio::io_context& context, lifecycle& components) noexcept {
  try {
    run_until_done(context, stop_all(&components));
  } catch (...) {
    // The app is being destroyed: there is nobody left to tell.
  }
}

injected_response run_injected(asio::io_context& context, handler& service, const app_context& shared,
                               const server_limits& limits, const injected_request& asked) {
  const std::string text = asked.text();
  request in;
  request_access access(in);
  access.clear();
  access.context(shared);
  access.arrived(shared.time->steady());
  response out;
  if (const auto why = read(text, limits, in))
    service.unresolved().refuse(in, *why, out);
  else
    serve(context, service.resolve(in), in, out);
  if (const auto* streamed = out.streams(); streamed && in.method() != method::head) {
    const auto held = *streamed;
    collect(context, held, out.body_buffer());
  }
  injected_response made;
  static_cast<response&>(made) = std::move(out);
  return made;
}

}  // namespace corbel
