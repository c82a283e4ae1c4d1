#include "client/dial.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "client/failures.hpp"
#include "client/response_head.hpp"

namespace corbel::outgoing {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// A lookup that can be given up. The system's resolver cannot be interrupted: when time is over, its answer
/// comes to nobody.
struct lookup {
  explicit lookup(const asio::any_io_executor& executor) : resolver(executor), over(executor) {}

  tcp::resolver resolver;
  asio::steady_timer over;
  bool answered = false;
  error_code failed;
  std::vector<tcp::endpoint> found;
};

task<result<std::vector<tcp::endpoint>>> find_addresses(std::string host, std::uint16_t port,
                                                        time_point due) {
  error_code no_literal;
  const auto literal = asio::ip::make_address(host, no_literal);
  if (!no_literal) co_return std::vector<tcp::endpoint>(1, tcp::endpoint(literal, port));
  const auto executor = co_await asio::this_coro::executor;
  const auto asked = std::make_shared<lookup>(executor);
  asked->over.expires_at(due);
  asked->resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                                [asked](const error_code& failed, const tcp::resolver::results_type& found) {
                                  asked->answered = true;
                                  asked->failed = failed;
                                  for (const auto& each : found) asked->found.push_back(each.endpoint());
                                  asked->over.cancel();
                                });
  error_code ignored;
  co_await asked->over.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!asked->answered) {
    asked->resolver.cancel();
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
    co_return timed_out("connect", "the lookup of " + host + " took too long");
  }
  if (asked->failed)
    co_return unreachable("dns_failed", "the lookup of " + host + ": " + asked->failed.message());
  co_return std::move(asked->found);
}

/// Keeps what the guard lets through. A name that has both kinds of addresses is called at the others.
result<std::vector<tcp::endpoint>> guarded(std::vector<tcp::endpoint> found, const core& owner,
                                           const url& to) {
  if (owner.guard.names(to.host())) return found;
  std::string objections;
  std::erase_if(found, [&](const tcp::endpoint& each) {
    const char* const objection = owner.guard.objection(each.address());
    if (objection) objections += ' ' + each.address().to_string() + " is " + objection + ';';
    return objection != nullptr;
  });
  if (!found.empty()) return found;
  return unreachable("address_refused",
                     "calls to " + to.authority() + " are refused:" + objections +
                         " if it is a service of your own, name it in client_settings::allow_hosts, name its "
                         "network in allow_networks, or start from client_settings::for_own_services()");
}

/// One after the other within the time of all; an address that does not answer leaves time for the next.
task<result<void>> connect_to_any(std::shared_ptr<connection> c, std::vector<tcp::endpoint> all,
                                  time_point due) {
  result<void> last = unreachable("connect_failed", "the name has no address");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    const auto left = static_cast<int>(all.size() - i);
    const bool bounded = due != time_point::max();
    // No more than half of the rest for one of several, and never so long that the user waits for IPv6 alone.
    const auto slice = std::min<std::chrono::steady_clock::duration>(
        bounded ? (due - now) / 2 : std::chrono::seconds(2), std::chrono::seconds(2));
    c->deadline(left == 1 ? due : now + slice, "connect");
    last = co_await c->connect(all[i]);
    if (last || now >= due) co_return last;
  }
  co_return last;
}

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

time_point due_in(std::chrono::milliseconds from_now, time_point total) {
  if (from_now <= from_now.zero()) return total;
  return std::min(total, std::chrono::steady_clock::now() + from_now);
}

task<result<void>> dial(std::shared_ptr<connection> c, std::shared_ptr<core> owner, url to,
                        dial_limits limits) {
  const auto due = due_in(limits.connect, limits.total);
  const url& first = owner->proxy ? *owner->proxy : to;
  auto found = co_await find_addresses(first.host(), first.port(), due);
  if (!found) co_return std::move(found).error();
  if (owner->proxy) {
    // The proxy connects, and looks names up; what can be judged here is an address written out.
    if (to.host_is_address()) {
      const tcp::endpoint literal(asio::ip::make_address(to.host()), to.port());
      auto judged = guarded(std::vector<tcp::endpoint>(1, literal), *owner, to);
      if (!judged) co_return std::move(judged).error();
    }
  } else {
    found = guarded(*std::move(found), *owner, to);
    if (!found) co_return std::move(found).error();
  }
  if (auto done = co_await connect_to_any(c, *found, due); !done) co_return done;
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
