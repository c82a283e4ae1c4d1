// How the body of a request is received that is not all there with its head: the guards first, then the body.

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "corbel/http/handler.hpp"
#include "http/body_limit.hpp"
#include "http/request_access.hpp"
#include "server/connection.hpp"
#include "server/exchange.hpp"

namespace corbel {
namespace {

/// The rest of a body that is no longer than this is received even when its request is refused, so that the
/// connection lives on.
constexpr std::size_t short_body = 64 * 1024;

// By value: it must live as long as the coroutine.
task<> ask_guards(std::shared_ptr<exchange> x) {
  const auto verdict = co_await verdict_of(x.get());
  // Who is cancelled here has no owner any more, and every further wait would throw.
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  if (co_await turn_of(x.get()))
    x->owner->on_guarded(x, verdict);
  else if (!has_left(*x))
    x->route->refuse(x->in, client_gone(), x->out);
}

}  // namespace

bool connection::pass_guards(const resolved_route& route, const http1::message_framing& framing,
                             std::optional<error>& refusal) {
  const auto& traits = route.traits();
  auto& in = exchange_->in;
  // A client that asks before it sends is also told where no guard but the lack of a route stands in its way.
  if ((traits.guarded || framing.expects_continue) && !traits.guard_waits)
    if (auto verdict = route.guard(in); !verdict) refusal = std::move(verdict).error();
  // A short body that is on its way costs less than another connection.
  const bool is_short = !framing.chunked && framing.content_length <= short_body;
  if (refusal && is_short && !framing.expects_continue) return true;
  if (!refusal && !traits.guard_waits) refusal = length_refusal(framing, traits);
  if (!refusal) return true;
  const auto held = std::move(exchange_);
  refuse(route, held->in, *refusal, held->out);
  return false;
}

bool connection::begin_body(const resolved_route& route, std::string_view head, std::string_view& rest,
                            const http1::message_framing& framing) {
  const auto& traits = route.traits();
  std::optional<error> refusal;
  // First its own memory, then the guards: what they keep may be views into the head.
  auto& x = make_exchange(route, head, framing);
  if (!pass_guards(route, framing, refusal)) return false;
  if (phase_ != phase::head) began_ = home_.loop.now();
  if (traits.streams_body && !refusal) {
    x.upload.emplace(x, framing, traits.body_limit, home_.limits());
    request_access(x.in).arriving(&*x.upload);
    x.upload->feed(rest);
    return true;
  }
  x.body_limit = refusal ? short_body : traits.body_limit;
  x.refusal = std::move(refusal);
  x.held = held_bytes(home_.shared.held);
  if (framing.chunked)
    x.chunks.emplace();
  else
    x.body_left = framing.content_length;
  if (!traits.guard_waits) {
    expect_body(!rest.empty());
    return feed_body(rest);
  }
  if (!may_wait(route, x.pass)) {
    const auto held = std::move(exchange_);
    turn_down(route, held->in, held->out, false);
    return false;
  }
  start_guarding();
  return phase_ == phase::body && feed_body(rest);
}

void connection::expect_body(bool sent_some) {
  phase_ = phase::body;
  if (exchange_->framing.expects_continue && !sent_some) home_.output.append(http1::continue_line);
}

void connection::on_guarded(const std::shared_ptr<exchange>& asked, const result<void>& verdict) {
  auto& x = *asked;
  x.guarded = true;
  x.owner = nullptr;
  x.pass.leave();
  try {
    if (!starting_) home_.loop.refresh_now();
    began_ = home_.loop.now();  // the client's time to send runs from here
    const bool is_short = !x.framing.chunked && x.framing.content_length <= short_body;
    if (!verdict && is_short && !x.framing.expects_continue) x.refusal = verdict.error();
    if (!verdict && !x.refusal) {
      const auto held = std::move(exchange_);
      refuse(*x.route, x.in, verdict.error(), x.out);
      if (!starting_) finish_round({}, {});
      return;
    }
    expect_body(unread_ != nullptr);
    if (!starting_) resume();
  } catch (const std::exception&) {
    abandon();
  }
}

bool connection::feed_body(std::string_view& rest) {
  auto& x = *exchange_;
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

void connection::start_guarding() {
  unread_.reset();  // those bytes are in the buffer that this round reads from
  spawn(ask_guards(exchange_), exchange_->cancel_guards);
}

}  // namespace corbel
