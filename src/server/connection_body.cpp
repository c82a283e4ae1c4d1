// How the body of a request is received that is not all there with its head: the guards first, then the body.

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <exception>

#include "corbel/http/handler.hpp"
#include "corbel/http/problem.hpp"
#include "http/body_limit.hpp"
#include "http/request_access.hpp"
#include "server/connection.hpp"
#include "server/exchange.hpp"

namespace corbel {
namespace {

/// The rest of a body that is no longer than this is received even when its request is refused, so that the
/// connection lives on.
constexpr std::size_t short_body = 64 * 1024;

bool is_short(const http1::message_framing& framing) {
  return !framing.chunked && framing.content_length <= short_body;
}

// By value: it must live as long as the coroutine.
task<> ask_guards(std::shared_ptr<exchange> x) {
  std::exception_ptr thrown;
  try {
    x->verdict = co_await x->route->guard_waiting(x->in);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) x->verdict = problem::from_exception(x->in, thrown);
  // Whoever is cancelled here has no owner any more, and every further wait would throw.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (co_await turn_of(x.get()))
    x->owner->on_guarded(x);
  else if (!has_left(*x))
    x->route->refuse(x->in, client_gone(), x->out);
}

}  // namespace

bool connection::begin_body(const resolved_route& route, std::string_view head, std::string_view& rest,
                            const http1::message_framing& framing) {
  const auto& traits = route.traits();
  // Its own memory first, then the guards: what they keep may be views into the head.
  auto& x = make_exchange(route, head, framing);
  if (phase_ != phase::head) began_ = home_.loop.now();
  if (traits.guard_waits) {
    if (!may_wait(route, x.pass)) {
      const auto held = std::move(exchange_);
      turn_down(route, held->in, held->out, false);
      return false;
    }
    start_guarding();
    if (in_exchange()) return false;  // `on_guarded` goes on
  } else if (traits.guarded || framing.expects_continue) {
    // A client that asks before it sends is also told where no guard but the lack of a route is in its way.
    x.verdict = route.guard(x.in);
  }
  return admit(rest.size()) && feed_body(rest);
}

bool connection::admit(std::size_t arrived) {
  auto& x = *exchange_;
  const auto& traits = x.route->traits();
  const auto end_with = [this](const error& why) {
    const auto held = std::move(exchange_);
    refuse(*held->route, held->in, why, held->out);
    return false;
  };
  if (!x.verdict) {
    if (x.framing.expects_continue || !is_short(x.framing)) return end_with(x.verdict.error());
    x.refusal = std::move(x.verdict).error();
  } else if (x.framing.content_length > traits.body_limit) {
    return end_with(body_too_large(traits.body_limit));
  }
  phase_ = phase::body;
  const bool whole = !x.framing.chunked && x.framing.content_length <= arrived;
  if (traits.streams_body && !x.refusal && !whole) {
    x.upload.emplace(x, x.framing, traits.body_limit, home_.limits());
    request_access(x.in).arriving(&*x.upload);
    return true;
  }
  x.body_limit = x.refusal ? short_body : traits.body_limit;
  x.held = held_bytes(home_.shared.held);
  if (x.framing.chunked)
    x.chunks.emplace();
  else
    x.body_left = x.framing.content_length;
  if (x.framing.expects_continue && arrived == 0 && x.framing.has_body())
    home_.output.append(http1::continue_line);
  return true;
}

void connection::start_guarding() {
  unread_.reset();  // those bytes are in the buffer that this round reads from
  spawn(ask_guards(exchange_), exchange_->cancel_guards);
}

void connection::on_guarded(const std::shared_ptr<exchange>& asked) {
  asked->owner = nullptr;
  asked->pass.leave();
  phase_ = phase::idle;
  if (starting_) return;  // the round that asked them goes on
  try {
    home_.loop.refresh_now();
    began_ = home_.loop.now();  // the client's time to send runs from here
    const auto held = std::move(unread_);
    const auto rest = held ? std::string_view(held->bytes) : std::string_view();
    if (admit(rest.size()))
      consume(rest, {});
    else
      finish_round({}, {});
  } catch (const std::exception&) {
    abandon();
  }
}

bool connection::feed_body(std::string_view& rest) {
  auto& x = *exchange_;
  if (x.upload) {
    x.upload->feed(rest);
    return true;
  }
  if (x.chunks) {
    std::optional<error> why;
    switch (x.chunks->feed(rest, x.body, x.body_limit, why)) {
      case http1::chunked_reader::outcome::incomplete: hold_body(); return false;
      case http1::chunked_reader::outcome::complete: return true;
      case http1::chunked_reader::outcome::refused: {
        const auto held = std::move(exchange_);
        refuse(*held->route, held->in, *why, held->out);
        return false;
      }
    }
  }
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(x.body_left, rest.size()));
  // A client that announces much and sends little shall not make us hold much: memory follows what arrives.
  x.body.append(rest.substr(0, n));
  rest.remove_prefix(n);
  x.body_left -= n;
  if (x.body_left == 0) return true;
  hold_body();
  return false;
}

void connection::hold_body() {
  auto& x = *exchange_;
  if (home_.note_held(x.held.hold(x.body.capacity()))) return;
  const auto held = std::move(exchange_);
  turn_down(*held->route, held->in, held->out, false);
}

}  // namespace corbel
