// The part of a connection's life in which a request outlives one wake-up: its handler waits, its response is
// produced while it is sent. How its body is received is told in connection_body.cpp.

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "corbel/http/handler.hpp"
#include "corbel/http/problem.hpp"
#include "corbel/observe/log.hpp"
#include "http/body_limit.hpp"
#include "http/request_access.hpp"
#include "server/connection.hpp"
#include "server/exchange.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;

/// A streamed body is sent in pieces of at least about this size, or when the loop comes round.
constexpr std::size_t piece_size = 64 * 1024;

/// Whether the response's body has to be produced. What must not have a body is not produced either.
bool produces(const request& in, const response& out) {
  return out.streams() && in.method() != method::head && http1::has_body(out.status());
}

// Parameters by value: they must live as long as the coroutine.
task<> run(std::shared_ptr<exchange> x, bool answered) {
  std::exception_ptr thrown;
  if (!answered) {
    try {
      co_await x->route->serve_waiting(x->in, x->out);
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown && !has_left(*x)) x->route->refuse(x->in, problem::from_exception(x->in, thrown), x->out);
    thrown = nullptr;  // it has been answered
  }
  if (!co_await turn_of(x.get())) co_return;
  if (!produces(x->in, x->out)) {
    x->owner->on_answer(x);
    co_return;
  }
  x->owner->on_stream(x);
  const auto held = *x->out.streams();
  try {
    // The round that started this goes first: the head is in its output.
    co_await asio::post(asio::use_awaitable);
    if (x->owner && !x->ended_by_drain) co_await held.produce(*x->download);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (x->ended_by_drain) co_await asio::this_coro::reset_cancellation_state();
  if (!co_await turn_of(x.get())) co_return;
  x->owner->on_stream_end(x, thrown);
}

}  // namespace

exchange& connection::make_exchange(const resolved_route& route, std::string_view bytes,
                                    const http1::message_framing& framing) {
  exchange_ = std::make_shared<exchange>();
  auto& x = *exchange_;
  x.route = &route;
  x.framing = framing;
  x.bytes = bytes;
  x.in = std::move(home_.in);
  x.peer = peer_;
  request_access access(x.in);
  access.rebase(bytes.data(), bytes.size(), x.bytes.data());
  access.peer(x.peer);
  return x;
}

bool connection::serve_whole(const resolved_route& route, std::string_view bytes, std::string_view body,
                             const http1::message_framing& framing) {
  auto& in = home_.in;
  auto& out = home_.out;
  const auto& traits = route.traits();
  out.clear();
  if (body.size() > traits.body_limit) [[unlikely]] {
    route.refuse(in, body_too_large(traits.body_limit), out);
    append(in, out, framing.keep_alive);
    return true;
  }
  request_access(in).body(body);
  if (!traits.waits) {
    route.serve(in, out);
    if (!produces(in, out)) [[likely]] {
      append(in, out, framing.keep_alive);
      return true;
    }
  }
  gate_pass pass;
  if (traits.waits && !may_wait(route, pass)) {
    turn_down(route, in, out, framing.keep_alive);
    return true;
  }
  auto& x = make_exchange(route, bytes, framing);
  if (!traits.waits) x.out = std::move(out);
  x.pass = std::move(pass);
  start_waiting(!traits.waits);
  return !in_exchange();
}

bool connection::serve_exchange() {
  auto& x = *exchange_;
  const auto& route = *x.route;
  if (x.refusal) {
    route.refuse(x.in, *x.refusal, x.out);
    append_and_forget(exchange_);
    return true;
  }
  request_access(x.in).body(x.body);
  const bool answered = !route.traits().waits;
  if (answered) {
    route.serve(x.in, x.out);
    if (!produces(x.in, x.out)) {
      append_and_forget(exchange_);
      return true;
    }
  }
  // A handler that reads while the body arrives waits for its client: that says nothing of load.
  if (!answered && !x.upload && !may_wait(route, x.pass)) {
    const auto held = std::move(exchange_);
    turn_down(route, held->in, held->out, held->framing.keep_alive);
    return true;
  }
  start_waiting(answered);
  return !in_exchange();
}

bool connection::must_shed(const resolved_route& route) {
  const bool memory = home_.memory_left();
  if (memory && home_.loop.lag().admit()) return false;
  return !route.traits().never_shed;
}

bool connection::may_wait(const resolved_route& route, gate_pass& pass) {
  if (!home_.shared.settings.shed_load) return true;
  const auto& load = home_.gate.of(&route);
  if (load->full() && !route.traits().never_shed) {
    load->note_shed();
    return false;
  }
  pass = gate_pass(load);
  return true;
}

void connection::turn_down(const resolved_route& route, request& in, response& out, bool keep_alive) {
  home_.turn_down(route, in, out);
  append(in, out, keep_alive);
}

void connection::start_waiting(bool answered) {
  spawn(run(exchange_, answered), exchange_->cancel);
}

void connection::spawn(task<> work, boost::asio::cancellation_signal& cancel) {
  phase_ = phase::waiting;
  began_ = home_.loop.now();
  starting_ = true;
  exchange_->owner = this;
  const auto x = exchange_;
  // The completion handler holds the exchange, so that the cancellation slot outlives all that may look at
  // it.
  home_.answering->fetch_add(1, std::memory_order_relaxed);
  asio::co_spawn(home_.loop.context().get_executor(), std::move(work),
                 asio::bind_cancellation_slot(cancel.slot(), [x, n = home_.answering](std::exception_ptr) {
                   n->fetch_sub(1, std::memory_order_release);
                 }));
  starting_ = false;
}

void connection::append_and_forget(const std::shared_ptr<exchange>& done) {
  const auto held = done;
  held->owner = nullptr;
  exchange_.reset();
  append(held->in, held->out, held->may_keep_alive());
}

void connection::on_answer(const std::shared_ptr<exchange>& done) {
  if (starting_) return append_and_forget(done);  // the round that started the handler goes on
  try {
    home_.loop.refresh_now();  // no descriptor woke us, so the loop's time is that of long ago
    done->pass.answered(home_.loop.now() - began_, home_.loop.now());
    append_and_forget(done);
    resume();
  } catch (const std::exception&) {
    abandon();
  }
}

void connection::on_stream(const std::shared_ptr<exchange>& begun) {
  auto& x = *begun;
  using framing = departing_body::framing;
  const auto& made = *x.out.streams();
  const auto how = made.length            ? framing::counted
                   : x.in.version() >= 11 ? framing::chunked
                                          : framing::until_close;
  x.download.emplace(x, how, made.length.value_or(0));
  try {
    if (starting_) {
      x.pass.leave();
    } else {
      home_.loop.refresh_now();
      x.pass.answered(home_.loop.now() - began_, home_.loop.now());
    }
    append(x.in, x.out, x.framing.keep_alive && how != framing::until_close);
    phase_ = phase::streaming;
    x.ended_by_drain = made.endless && home_.draining;
    if (!starting_ && flush()) settle();
  } catch (const std::exception&) {
    abandon();
  }
}

void connection::on_stream_end(const std::shared_ptr<exchange>& done, std::exception_ptr thrown) {
  const auto held = done;
  auto& x = *held;
  bool whole = x.download->complete();
  if (thrown && !x.ended_by_drain) {
    const auto why = problem::from_exception(thrown);
    if (!is_client_gone(why))
      x.in.log().error("a streamed response was cut short", {{"path", x.in.path()}, {"cause", why.cause()}});
    whole = false;
  } else if (!whole) {
    x.in.log().error("a streamed response is shorter than its announced length", {{"path", x.in.path()}});
  }
  if (!whole) {
    // A close alone could pass for the end of a body that lasts until the close.
    const struct ::linger reset { 1, 0 };
    (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (tls_) tls_->session.cut();
    return destroy();
  }
  try {
    home_.loop.refresh_now();
    if (x.download->how() == departing_body::framing::chunked) home_.output.append(http1::last_chunk);
    if (x.upload && !x.upload->complete()) closing_ = true;
    x.owner = nullptr;
    exchange_.reset();
    phase_ = phase::idle;
    closing_ |= home_.draining;
    resume();
  } catch (const std::exception&) {
    abandon();
  }
}

void connection::pull(bool tell) {
  if (tell && starting_)
    home_.output.append(http1::continue_line);
  else if (tell)
    send_piece({}, http1::continue_line, {});
  // Within a round, its own connection settles at the end; any other one has to come back.
  if (!home_.busy)
    settle();
  else if (!starting_)
    home_.loop.post([x = exchange_] {
      if (x->owner) x->owner->pull(false);
    });
}

void connection::send_piece(std::string_view before, std::string_view bytes, std::string_view after) {
  hold_unsent();
  unsent_->bytes.append(before).append(bytes).append(after);
  if (backlog() >= piece_size)
    push();
  else
    push_later();
}

void connection::push_later() {
  if (std::exchange(unsent_->push_posted, true)) return;
  home_.loop.post([x = exchange_] {
    if (x->owner) x->owner->push();
  });
}

void connection::push() {
  if (!unsent_) return;
  unsent_->push_posted = false;
  if (home_.busy) return push_later();
  home_.loop.refresh_now();
  write_unsent();
}

void connection::read_upload() {
  if (!exchange_->upload || !exchange_->upload->wants_more()) return watch(interest::none);
  char* const buffer = home_.input.get();
  const ssize_t n = receive(buffer, worker::input_size);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return destroy();
  }
  auto& upload = *exchange_->upload;
  if (n == 0) {
    upload.fail(client_gone());
    return destroy();
  }
  std::string_view bytes(buffer, static_cast<std::size_t>(n));
  upload.feed(bytes);
  if (!bytes.empty() && upload.complete()) {
    unread_ = std::make_unique<unread>();
    unread_->bytes = bytes;
  }
  began_ = home_.loop.now();  // the handler's time runs from the last piece it was given
  settle();
}

/// Ends what waited too long: for its client, or for itself.
void connection::expire_waiting() {
  if (exchange_->upload && exchange_->upload->starves()) {
    exchange_->upload->fail(
        {error_kind::request_timeout, "request_timeout", "The request's body did not arrive in time."});
    began_ = home_.loop.now();
    return settle();
  }
  if (phase_ == phase::streaming) return settle();
  if (has_left(*exchange_)) return settle();  // its answer only waits for its turn on this thread
  answer_instead(
      {error_kind::unavailable, "handler_timeout", "The service took too long to answer. Try again later."});
}

/// The handler is told to stop, but not waited for: the client has its answer on time.
void connection::answer_instead(const error& why) {
  const auto held = std::move(exchange_);
  auto& x = *held;
  x.owner = nullptr;
  x.pass.answered(home_.loop.now() - began_, home_.loop.now());
  phase_ = phase::idle;
  if (!has_left(x)) x.route->refuse(x.in, why, x.out);
  x.out.close();
  append(x.in, x.out, false);
  x.cancel_all();
  finish_round({}, {});
}

/// The time to drain is over. Who has sent a request and has no byte of its answer is told so.
void connection::give_up() noexcept {
  if ((phase_ != phase::waiting && phase_ != phase::body) || unsent_) return destroy();
  home_.busy = true;  // a handler that is cancelled here may wake another connection's
  try {
    const auto why = unavailable("The service is shutting down. Try again shortly.", "shutting_down")
                         .retry_after(std::chrono::seconds(1));
    if (phase_ == phase::waiting) {
      if (has_left(*exchange_) && produces(exchange_->in, exchange_->out)) return abandon();
      return answer_instead(why);
    }
    const auto held = std::move(exchange_);
    refuse(*held->route, held->in, why, held->out);
    finish_round({}, {});
  } catch (const std::exception&) {
    abandon();
  }
}

}  // namespace corbel
