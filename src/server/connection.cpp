#include "server/connection.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/cancellation_type.hpp>
#include <cerrno>
#include <cstring>

#include "corbel/http/handler.hpp"
#include "http/request_access.hpp"
#include "server/exchange.hpp"

namespace corbel {
namespace {

namespace asio = boost::asio;

/// How long a client may take to hear our last words.
constexpr std::chrono::milliseconds linger_time{2'000};
/// Pipelined answers are sent in pieces of about this size.
constexpr std::size_t flush_size = 256 * 1024;

error too_slow(std::string message) {
  return {error_kind::request_timeout, "request_timeout", std::move(message)};
}

}  // namespace

connection::connection(worker& home, int fd, std::string peer)
    : home_(home), fd_(fd), peer_(std::move(peer)) {
  home_.loop.descriptors().add(fd_, interest::read, *this);
  began_ = home_.loop.now();
  home_.loop.deadlines().arm(*this, began_ + home_.limits().header_timeout);
  if (!home_.plain()) prepare();
}

connection::~connection() {
  if (tls_) end_protection();
  home_.loop.descriptors().remove(fd_, *this);
  ::close(fd_);
}

void connection::destroy() {
  if (exchange_) {
    exchange_->owner = nullptr;
    if (!home_.draining) request_access(exchange_->in).note_client_left();
    if (in_exchange()) {
      const auto held = std::move(exchange_);
      held->cancel_all();
    }
  }
  home_.closed(*this);
}

void connection::watch(interest what) {
  if (tls_) [[unlikely]]
    what = watch_protected(what);
  if (watched_ == what) return;
  watched_ = what;
  home_.loop.descriptors().change(fd_, what, *this);
}

void connection::on_ready(readiness what) {
  // While it lingers, what the client sent is read to its end first: closed with bytes unread, the socket
  // would answer with a reset, which overtakes the words that are still on their way.
  if (what.broken && phase_ != phase::lingering) return destroy();
  if (tls_) [[unlikely]]
    what = tls_->session.meant(what);
  try {
    if (what.writable && unsent_) return write_unsent();
    if (what.readable) read();
  } catch (const std::exception&) {
    abandon();  // out of memory, or the kernel refuses: this client goes, the others stay
  }
}

void connection::abandon() {
  home_.output.clear();
  home_.busy = false;
  destroy();
}

ssize_t connection::receive(char* into, std::size_t room) {
  if (tls_) [[unlikely]]
    return receive_protected(into, room);
  return ::recv(fd_, into, room, 0);
}

ssize_t connection::transmit(std::string_view bytes) {
  if (tls_) [[unlikely]]
    return transmit_protected(bytes);
  return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void connection::read() {
  switch (phase_) {
    case phase::waiting:
    case phase::streaming: return read_upload();
    case phase::flushing: return;
    case phase::preface:
    case phase::handshake: return open();
    default: break;
  }
  char* const buffer = home_.input.get();
  std::size_t have = 0;
  http1::head_scan scan;
  if (unread_ && phase_ != phase::lingering) {
    have = unread_->bytes.size();
    std::memcpy(buffer, unread_->bytes.data(), have);
    scan = unread_->scan;
  }
  const ssize_t n = receive(buffer + have, worker::input_size - have);
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    return destroy();
  }
  if (phase_ == phase::lingering) {
    if (n == 0) destroy();
    return;
  }
  if (n == 0) return destroy();  // nothing is in flight in this phase, so there is nothing left to answer
  consume({buffer, have + static_cast<std::size_t>(n)}, scan);
}

void connection::consume(std::string_view bytes, http1::head_scan scan) {
  // `bytes` may be the thread's input buffer: nothing below may read into it before this round is over.
  home_.busy = true;
  if (phase_ == phase::body) {
    if (feed_body(bytes)) serve_exchange();
    scan = {};
  }
  std::optional<error> why;
  while (!bytes.empty() && !closing_ && !in_exchange() && phase_ != phase::body) {
    auto& in = home_.in;
    request_access access(in);
    access.clear();
    std::size_t head_size = 0;
    http1::message_framing framing;
    const auto outcome = http1::read_head(bytes, scan, home_.limits(), in, framing, head_size, why);
    if (outcome == http1::head_outcome::incomplete) break;

    access.peer(peer_);
    access.facts(facts_);
    access.arrived(home_.loop.now());
    access.context(home_.shared.context);
    if (outcome == http1::head_outcome::refused) {
      refuse(home_.shared.service.unresolved(), in, *why, home_.out);
      break;
    }
    scan = {};
    const auto& route = home_.shared.service.resolve(in);
    const auto head = bytes.substr(0, head_size);
    auto rest = bytes.substr(head_size);
    const bool whole = !framing.chunked && framing.content_length <= rest.size();
    if (home_.loop.lag().late() && must_shed(route)) [[unlikely]] {
      bytes = whole ? rest.substr(static_cast<std::size_t>(framing.content_length)) : rest;
      turn_down(route, in, home_.out, whole && framing.keep_alive);
    } else if (whole && framing.content_length <= home_.limits().body_bytes && !route.traits().guarded) {
      const auto body = rest.substr(0, static_cast<std::size_t>(framing.content_length));
      bytes = rest.substr(body.size());
      if (!serve_whole(route, {head.data(), head.size() + body.size()}, body, framing)) break;
    } else {
      const bool complete = begin_body(route, head, rest, framing);
      bytes = rest;
      if (!complete || !serve_exchange()) break;
    }
    if (home_.output.size() > flush_size && !flush()) return;
    if (phase_ == phase::flushing) break;
  }
  finish_round(bytes, scan);
}

/// Goes on with what the client has sent meanwhile.
void connection::resume() {
  if (unread_ && !closing_ && !unsent_) {
    const auto held = std::move(unread_);
    consume(held->bytes, {});
  } else if (flush()) {
    settle();
  }
}

void connection::append(const request& in, const response& reply, bool keep_alive) {
  ++served_;
  phase_ = phase::idle;
  if (!keep_alive || reply.closes() || home_.draining || served_ >= home_.limits().requests_per_connection)
    closing_ = true;
  http1::append_response(home_.output, in, reply, !closing_, home_.date.at(home_.loop.now()));
}

void connection::refuse(const resolved_route& route, request& in, const error& why, response& out) {
  // What follows a request that we do not understand is not a request (RFC 9112, 9.3): the connection ends.
  out.clear();
  route.refuse(in, why, out);
  out.close();
  phase_ = phase::idle;
  append(in, out, false);
}

void connection::finish_round(std::string_view rest, const http1::head_scan& scan) {
  if (!rest.empty() && !closing_) {
    // The bytes may lie in the block that they came from: copied before that block goes.
    auto kept = std::make_unique<unread>();
    kept->bytes = rest;
    kept->scan = scan;
    kept->held = held_bytes(home_.shared.held);
    home_.note_held(kept->held.hold(kept->bytes.capacity()));
    unread_ = std::move(kept);
  } else {
    unread_.reset();
  }
  if (!flush()) return;
  settle();
}

/// False when the connection is gone.
bool connection::flush() {
  const auto bytes = home_.output.view();
  std::size_t sent = 0;
  if (!bytes.empty() && !unsent_) {
    const ssize_t n = transmit(bytes);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      home_.output.clear();
      home_.busy = false;
      destroy();
      return false;
    }
    sent = n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  if (sent < bytes.size()) {
    hold_unsent();
    unsent_->bytes.append(bytes.substr(sent));
    home_.note_held(unsent_->held.hold(unsent_->bytes.capacity()));
  }
  if (unsent_ && !in_exchange() && phase_ != phase::body) phase_ = phase::flushing;
  home_.output.clear();
  return true;
}

void connection::hold_unsent() {
  if (unsent_) return;
  unsent_ = std::make_unique<unsent>();
  unsent_->taken.begin(home_.loop.now(), home_.limits().write_timeout);
  unsent_->held = held_bytes(home_.shared.held);
}

void connection::write_unsent() {
  const auto rest = std::string_view(unsent_->bytes).substr(unsent_->sent);
  const ssize_t n = transmit(rest);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) return destroy();
    return settle();
  }
  unsent_->sent += static_cast<std::size_t>(n);
  unsent_->taken.moved(static_cast<std::size_t>(n), home_.limits().min_rate, home_.loop.now(),
                       home_.limits().write_timeout);
  const bool done = unsent_->sent == unsent_->bytes.size();
  if (done)
    unsent_.reset();
  else if (unsent_->sent > unsent_->bytes.size() / 2)
    unsent_->bytes.erase(0, std::exchange(unsent_->sent, 0));
  if (exchange_ && exchange_->download) exchange_->download->drained();
  if (done && phase_ == phase::flushing) {
    phase_ = phase::idle;
    return resume();
  }
  settle();
}

/// Decides what this connection waits for next, and until when.
void connection::settle() {
  home_.busy = false;
  auto& deadlines = home_.loop.deadlines();
  const auto& limits = home_.limits();
  const auto now = home_.loop.now();
  const auto* upload = in_exchange() && exchange_->upload ? &*exchange_->upload : nullptr;
  if (unsent_) {
    watch(upload && upload->wants_more() ? interest::read_write : interest::write);
    deadlines.arm(*this, unsent_->taken.due());
    return;
  }
  watch(upload && !upload->wants_more() ? interest::none : interest::read);
  if (in_exchange()) {
    if (upload && upload->starves())
      deadlines.arm(*this, upload->due());
    else if (phase_ == phase::waiting)
      deadlines.arm(*this, began_ + exchange_->route->traits().time_limit.value_or(limits.handler_timeout));
    else
      deadlines.disarm(*this);  // a producer may be silent for as long as it likes
    return;
  }
  if (closing_) return linger();
  if (phase_ == phase::body) {
    deadlines.arm(*this, began_ + limits.request_timeout);
    return;
  }
  if (unread_) {
    if (phase_ != phase::head) began_ = now;
    phase_ = phase::head;
    deadlines.arm(*this, began_ + limits.header_timeout);
    return;
  }
  phase_ = phase::idle;
  began_ = now;
  deadlines.arm(*this, now + home_.keep_alive);
}

void connection::linger() {
  phase_ = phase::lingering;
  unread_.reset();
  if (tls_) tls_->session.say_goodbye();
  if (::shutdown(fd_, SHUT_WR) != 0) return destroy();
  home_.loop.deadlines().arm(*this, home_.loop.now() + linger_time);
}

void connection::drain() {
  if (phase_ == phase::streaming && exchange_->out.streams()->endless) {
    exchange_->ended_by_drain = true;
    exchange_->cancel.emit(asio::cancellation_type::terminal);
    return;
  }
  const bool silent = (phase_ == phase::preface || phase_ == phase::handshake) && !tls_ && !unread_;
  if ((phase_ != phase::idle && !silent) || unsent_ || (tls_ && tls_->session.pending())) return;
  if (home_.keep_alive.count() > 0 && !silent)
    home_.loop.deadlines().arm(*this, home_.loop.now() + home_.keep_alive);
  else
    end_idle();
}

void connection::end_idle() {
  // A request that has arrived already is answered: the loop finds it readable.
  char first = 0;
  if (::recv(fd_, &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
    home_.busy = false;
  else
    abandon();
}

void connection::on_deadline() {
  home_.loop.refresh_now();
  home_.busy = true;  // a handler that is cancelled below, or a hook, may wake another connection's
  try {
    expire();
  } catch (const std::exception&) {
    abandon();
  }
}

/// Ends what took too long.
void connection::expire() {
  switch (phase_) {
    case phase::idle: return end_idle();
    case phase::preface:
    case phase::handshake:
    case phase::flushing:
    case phase::lingering: return abandon();
    case phase::head: {
      auto& in = home_.in;
      request_access access(in);
      access.clear();
      access.context(home_.shared.context);
      access.peer(peer_);
      access.facts(facts_);
      access.arrived(began_);
      refuse(home_.shared.service.unresolved(), in, too_slow("The request's head did not arrive in time."),
             home_.out);
      return finish_round({}, {});
    }
    case phase::body: {
      const auto held = std::move(exchange_);
      const auto why =
          held->refusal ? *held->refusal : too_slow("The request's body did not arrive in time.");
      refuse(*held->route, held->in, why, held->out);
      return finish_round({}, {});
    }
    case phase::streaming: {
      if (unsent_) return abandon();
      return expire_waiting();
    }
    case phase::waiting: return expire_waiting();
  }
}

}  // namespace corbel
