#include "client/dial.hpp"

#include "client/failures.hpp"
#include "client/response_head.hpp"
#include "net/dial.hpp"

namespace corbel::outgoing {
namespace {

/// Asks the proxy for a tunnel (RFC 9110, 9.3.6).
task<result<void>> open_tunnel(std::shared_ptr<connection> c, url to) {
  const auto target = (to.host().find(':') == std::string::npos ? to.host() : '[' + to.host() + ']') + ':' +
                      std::to_string(to.port());
  const std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n";
  if (auto sent = co_await c->write(head, nullptr); !sent) co_return sent;
  std::size_t searched = 0;
  client_response answer;
  response_framing framing;
  const client_limits limits;
  for (;;) {
    if (const auto size = find_head(c->unread, searched)) {
      const auto wrong = read_head(c->unread.substr(0, *size), method::head, limits, answer, framing);
      c->unread.remove_prefix(*size);
      if (wrong) co_return *wrong;
      if (answer.ok() && c->unread.empty()) co_return result<void>();
      co_return unreachable("connect_failed", "the proxy refuses a tunnel to " + target + ": it answers " +
                                                  std::to_string(answer.code()));
    }
    if (c->unread.size() > limits.header_bytes) co_return too_large("the proxy's answer to CONNECT");
    auto more = co_await c->read_more();
    if (!more) co_return std::move(more).error();
    if (!*more) co_return lost("the proxy closed the connection before it answered CONNECT");
  }
}

}  // namespace

task<result<void>> dial(std::shared_ptr<connection> c, std::shared_ptr<core> owner, url to,
                        dial_limits limits) {
  const auto due = due_in(limits.connect, limits.total);
  const url& first = owner->proxy ? *owner->proxy : to;
  auto found = co_await net::find_addresses(first.host(), first.port(), due);
  if (!found) co_return std::move(found).error();
  if (owner->proxy) {
    // The proxy connects, and looks names up; what can be judged here is an address written out.
    if (to.host_is_address()) {
      const net::tcp::endpoint literal(boost::asio::ip::make_address(to.host()), to.port());
      std::vector<net::tcp::endpoint> asked(1, literal);
      auto judged = owner->guard.admit(to.host(), to.authority(), std::move(asked));
      if (!judged) co_return std::move(judged).error();
    }
  } else {
    found = owner->guard.admit(to.host(), to.authority(), *std::move(found));
    if (!found) co_return std::move(found).error();
  }
  if (auto done = co_await net::connect_to_any(c, *found, due); !done) co_return done;
  if (owner->proxy && to.https()) {
    if (auto done = co_await open_tunnel(c, to); !done) co_return done;
  }
  if (to.https()) {
    c->deadline(due_in(limits.handshake, limits.total), "handshake");
    const bool verify = !owner->settings.tls.dangerously_accept_any_certificate;
    if (auto done = co_await c->handshake(owner->tls, to.host(), to.host_is_address(), verify); !done)
      co_return done;
  }
  c->fresh = false;
  co_return result<void>();
}

}  // namespace corbel::outgoing
